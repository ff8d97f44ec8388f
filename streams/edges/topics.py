"""Topics on a broker as `schemas/topics.yaml` says, and what differs.

Between the registry and Kafka, before any process starts. Promises: creates what is missing,
sets right the settings that can be changed without touching records, names every difference.
Does not change a partition count (a key would move to another partition), delete a topic or
remove settings that the registry does not speak of.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaConnectionError, KafkaError, for_code

from streams.config import MarginquakeError
from streams.contracts import TopicSpec, topics

TOPIC_ALREADY_EXISTS: Final = 36
DYNAMIC_TOPIC_CONFIG: Final = 1
"""Kafka's source code for a setting made on the topic itself (not a broker default)."""

COMPACTION: Final = {
    "segment.bytes": "67108864",
    "segment.ms": "600000",
    "min.cleanable.dirty.ratio": "0.1",
}
"""State is read whole at a start, and the newest segment is never compacted: keep it small."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One setting of one topic that is not what topics.yaml says."""

    topic: str
    setting: str
    wanted: str
    found: str

    @property
    def can_be_mended(self) -> bool:
        """Settings can be changed in place; a partition count and a missing topic cannot."""
        return self.setting not in ("partitions", "topic")


@dataclass(slots=True)
class TopicReport:
    """What `reconcile` saw and did; `drift` is what is still different."""

    topics: list[str] = field(default_factory=list)
    created: list[str] = field(default_factory=list)
    mended: list[Difference] = field(default_factory=list)
    drift: list[Difference] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Plain values for `--json`."""
        return asdict(self)


def wanted_settings(spec: TopicSpec) -> dict[str, str]:
    """The Kafka settings of a topic, by Kafka's names and in Kafka's text form."""
    settings = {
        "cleanup.policy": spec.cleanup_policy,
        "max.message.bytes": str(spec.max_message_bytes),
        "message.timestamp.type": "LogAppendTime",
    }
    if spec.retention_ms is not None:
        settings["retention.ms"] = str(spec.retention_ms)
    if spec.cleanup_policy == "compact":
        settings |= COMPACTION
    return settings


async def reconcile(
    bootstrap: str,
    specs: Mapping[str, TopicSpec] | None = None,
    *,
    create: bool,
    replication: int = 1,
) -> TopicReport:
    """Compare the broker's topics with the registry and, with `create`, set right what can be.

    Args:
        bootstrap: bootstrap servers, `host:port[,host:port]`.
        specs: the topics wanted; all of topics.yaml by default.
        create: False only looks.
        replication: replicas of a topic that is created here.

    Raises:
        MarginquakeError: no broker answers, or it refuses a change.
    """
    specs = topics() if specs is None else specs
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, client_id="marginquake-topics")
    try:
        await admin.start()
    except KafkaConnectionError:
        await admin.close()
        raise MarginquakeError(
            f"no Kafka broker answers at {bootstrap}; start one with `marginquake broker start` "
            "or set MARGINQUAKE_KAFKA"
        ) from None
    try:
        return await _reconcile(admin, specs, create, replication)
    except KafkaError as error:
        raise MarginquakeError(f"Kafka at {bootstrap} refused: {error}") from error
    finally:
        await admin.close()


async def _reconcile(
    admin: Any, specs: Mapping[str, TopicSpec], create: bool, replication: int
) -> TopicReport:
    report = TopicReport(topics=list(specs))
    there = set(await admin.list_topics())
    missing = [spec for name, spec in specs.items() if name not in there]
    if create and missing:
        await _create(admin, missing, replication)
        report.created = [spec.name for spec in missing]
        missing = []
    drift, settings = await _differences(admin, [s for s in specs.values() if s not in missing])
    if create and any(difference.can_be_mended for difference in drift):
        await _mend(admin, specs, drift, settings)
        before, drift = (
            drift,
            await _settled(admin, [s for s in specs.values() if s not in missing]),
        )
        report.mended = [difference for difference in before if difference not in drift]
    report.drift = [Difference(spec.name, "topic", "present", "missing") for spec in missing]
    report.drift += drift
    return report


async def _create(admin: Any, specs: list[TopicSpec], replication: int) -> None:
    answer = await admin.create_topics(
        [
            NewTopic(spec.name, spec.partitions, replication, topic_configs=wanted_settings(spec))
            for spec in specs
        ]
    )
    for name, code, reason in answer.topic_errors:
        if code not in (0, TOPIC_ALREADY_EXISTS):
            raise MarginquakeError(f"Kafka refused to create {name}: {reason or for_code(code)}")
    await _await_leaders(admin, [spec.name for spec in specs])


async def _await_leaders(admin: Any, names: list[str], timeout_s: float = 30.0) -> None:
    """Return when every partition has a leader in the broker's metadata."""
    deadline = time.monotonic() + timeout_s
    while True:
        described = await admin.describe_topics(names)
        if all(
            not topic["error_code"]
            and topic["partitions"]
            and all(part["leader"] >= 0 for part in topic["partitions"])
            for topic in described
        ):
            return
        if time.monotonic() > deadline:
            raise MarginquakeError(
                f"topics {', '.join(names)} got no leader within {timeout_s:g} s; "
                "see the broker's log"
            )
        await asyncio.sleep(0.05)


async def _differences(
    admin: Any, specs: list[TopicSpec]
) -> tuple[list[Difference], dict[str, dict[str, str]]]:
    """What differs, and each topic's own settings (those not inherited from the broker)."""
    if not specs:
        return [], {}
    names = [spec.name for spec in specs]
    counts = {t["topic"]: len(t["partitions"]) for t in await admin.describe_topics(names)}
    found: dict[str, dict[str, str]] = {}
    own: dict[str, dict[str, str]] = {}
    for answer in await admin.describe_configs(
        [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    ):
        for resource in answer.to_object()["resources"]:
            if resource["error_code"]:
                raise for_code(resource["error_code"])(resource["error_message"])
            entries = resource["config_entries"]
            name = resource["resource_name"]
            found[name] = {entry["config_names"]: entry["config_value"] for entry in entries}
            own[name] = {
                entry["config_names"]: entry["config_value"]
                for entry in entries
                if entry["config_source"] == DYNAMIC_TOPIC_CONFIG
            }
    drift = []
    for spec in specs:
        if counts[spec.name] != spec.partitions:
            drift.append(
                Difference(spec.name, "partitions", str(spec.partitions), str(counts[spec.name]))
            )
        drift += [
            Difference(spec.name, setting, value, found[spec.name].get(setting, "unset"))
            for setting, value in wanted_settings(spec).items()
            if found[spec.name].get(setting) != value
        ]
    return drift, own


async def _settled(admin: Any, specs: list[TopicSpec], timeout_s: float = 10.0) -> list[Difference]:
    """What still differs once the broker has applied a change, which it does after its answer."""
    deadline = time.monotonic() + timeout_s
    while True:
        drift, _ = await _differences(admin, specs)
        if time.monotonic() > deadline or not any(d.can_be_mended for d in drift):
            return drift
        await asyncio.sleep(0.05)


async def _mend(
    admin: Any,
    specs: Mapping[str, TopicSpec],
    drift: list[Difference],
    own: Mapping[str, dict[str, str]],
) -> None:
    """AlterConfigs replaces all of a topic's own settings, so the others are sent along."""
    names = dict.fromkeys(d.topic for d in drift if d.can_be_mended)
    answers = await admin.alter_configs(
        [
            ConfigResource(ConfigResourceType.TOPIC, name, own[name] | wanted_settings(specs[name]))
            for name in names
        ]
    )
    for answer in answers:
        for resource in answer.to_object()["resources"]:
            if resource["error_code"]:
                raise for_code(resource["error_code"])(resource["error_message"])
