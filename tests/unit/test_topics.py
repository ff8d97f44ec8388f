"""What a topic must be on the broker, worked out from the registry."""

import asyncio
import json
import logging
import socket
from collections.abc import Iterator

import pytest

from streams.config import MarginquakeError
from streams.contracts import topics
from streams.edges.topics import COMPACTION, Difference, TopicReport, reconcile, wanted_settings


@pytest.fixture
def quiet() -> Iterator[None]:
    """Keeps the client's own word on a refused connection out of the test's output."""
    logger = logging.getLogger("aiokafka")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(level)


def test_every_topic_is_stamped_by_the_broker() -> None:
    """A record's own time may be years old: by it, retention would delete a replay at once."""
    for spec in topics().values():
        assert wanted_settings(spec)["message.timestamp.type"] == "LogAppendTime"


def test_a_compacted_topic_has_no_retention_and_small_segments() -> None:
    compacted = [spec for spec in topics().values() if spec.cleanup_policy == "compact"]
    assert compacted
    for spec in compacted:
        settings = wanted_settings(spec)
        assert "retention.ms" not in settings
        assert COMPACTION.items() <= settings.items()
        assert int(settings["segment.bytes"]) > spec.max_message_bytes


def test_a_deleting_topic_keeps_records_as_long_as_the_registry_says() -> None:
    spec = topics()["raw.v1"]
    settings = wanted_settings(spec)
    assert settings["retention.ms"] == str(spec.retention_ms)
    assert settings["cleanup.policy"] == "delete"
    assert settings["max.message.bytes"] == "16777216"


def test_no_topic_allows_more_than_the_broker_does() -> None:
    assert max(spec.max_message_bytes for spec in topics().values()) <= 16_777_216


@pytest.mark.parametrize(
    ("setting", "mendable"),
    [("retention.ms", True), ("cleanup.policy", True), ("partitions", False), ("topic", False)],
)
def test_settings_can_be_mended_and_partition_counts_cannot(setting: str, mendable: bool) -> None:
    assert Difference("raw.v1", setting, "a", "b").can_be_mended is mendable


def test_a_report_is_plain_json() -> None:
    report = TopicReport(["raw.v1"], drift=[Difference("raw.v1", "partitions", "8", "3")])
    assert json.loads(json.dumps(report.as_json()))["drift"] == [
        {"topic": "raw.v1", "setting": "partitions", "wanted": "8", "found": "3"}
    ]


@pytest.mark.usefixtures("quiet")
def test_an_absent_broker_is_named_with_the_command_that_starts_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(MarginquakeError, match=f"127.0.0.1:{port}.*marginquake broker start"):
        asyncio.run(reconcile(f"127.0.0.1:{port}", create=False))
