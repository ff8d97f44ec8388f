"""JSON Schema files and the AsyncAPI document, generated from the models and topics.yaml.

Beside the data path; `marginquake schemas generate` writes what `marginquake schemas check` and
a test compare. Promises equal text for equal models. JSON Schema cannot say the laws across
fields: those stand in the models only.

The files use JSON Schema 2020-12; the AsyncAPI document uses draft 07, which is what its tools
read, with every definition inside the document.
"""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from schemas.registry import SCHEMAS, Schema
from streams.contracts import TopicSpec, topics

ASYNCAPI: Final = "asyncapi.yaml"
URN: Final = "urn:marginquake:"
_OPAQUE: Final = {"raw": "The venue's bytes.", "detector_state": "Versioned bytes."}
"""Schemas whose record on Kafka is not the JSON that the model describes."""


class Untitled(GenerateJsonSchema):
    """JSON Schema 2020-12 without a title for each field, which only repeats its name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Never: names and descriptions suffice."""
        return False


class DraftSeven(Untitled):
    """The same for AsyncAPI's schema dialect, a superset of JSON Schema draft 07."""

    def tuple_schema(self, schema: core_schema.TupleSchema) -> JsonSchemaValue:
        """Fixed tuples by `items` and `additionalItems`, the older words for `prefixItems`."""
        built = super().tuple_schema(schema)
        if "prefixItems" in built:
            built["items"] = built.pop("prefixItems")
            built["additionalItems"] = False
        return built

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        """Without OpenAPI's discriminator object: the `const` of each `type` tells them apart."""
        built = super().tagged_union_schema(schema)
        built.pop("discriminator", None)
        return built


def json_schema(schema: Schema) -> dict[str, Any]:
    """The JSON Schema 2020-12 document of one schema."""
    built = schema.adapter.json_schema(schema_generator=Untitled)
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{URN}{schema.name}:v1",
        "title": schema.title,
    }
    return head | {key: value for key, value in built.items() if key != "title"}


def _component_schemas() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for schema in SCHEMAS.values():
        built = schema.adapter.json_schema(
            schema_generator=DraftSeven, ref_template="#/components/schemas/{model}"
        )
        found |= built.pop("$defs", {})
        if schema.model is not None:
            found[schema.model.__name__] = built
    return dict(sorted(found.items()))


def _message(schema: Schema, topic: TopicSpec) -> dict[str, Any]:
    assert schema.model is not None  # noqa: S101 - channels list the members of a union
    name = schema.model.__name__
    message: dict[str, Any] = {
        "name": schema.name,
        "title": schema.title,
        "summary": (schema.model.__doc__ or "").split("\n")[0],
        "contentType": "application/json",
        "payload": {"$ref": f"#/components/schemas/{name}"},
        "bindings": {"kafka": {"key": {"type": "string", "description": topic.key}}},
    }
    if schema.name in _OPAQUE:
        message["contentType"] = "application/octet-stream"
        message["payload"] = {"type": "string", "description": _OPAQUE[schema.name]}
    if schema.name == "raw":
        message["headers"] = {"$ref": "#/components/schemas/RawHeaders"}
    return message


def _channel(topic: TopicSpec, names: list[str]) -> dict[str, Any]:
    settings: dict[str, Any] = {"cleanup.policy": [topic.cleanup_policy]}
    if topic.retention_ms is not None:
        settings["retention.ms"] = topic.retention_ms
    settings["max.message.bytes"] = topic.max_message_bytes
    return {
        "address": topic.name,
        "summary": topic.description,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": settings,
            }
        },
    }


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI 3.0 document: a channel per topic, a message per schema on it."""
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    for topic in topics().values():
        names = list(SCHEMAS[topic.schema].members) or [topic.schema]
        messages |= {name: _message(SCHEMAS[name], topic) for name in names}
        # AsyncAPI's own keys may not hold dots, so that expressions can name them.
        key = topic.name.removesuffix(".v1").replace("-", "_")
        channels[key] = _channel(topic, names)
        operations[f"write_{key}"] = {
            "action": "send",
            "channel": {"$ref": f"#/channels/{key}"},
            "summary": f"Written by {topic.owner}.",
            "messages": [{"$ref": f"#/channels/{key}/messages/{name}"} for name in names],
        }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Marginquake",
            "version": "1.0.0",
            "description": "Kafka topics of Marginquake. Generated from schemas/topics.yaml and "
            "schemas/*.py by `marginquake schemas generate`.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "schemas": _component_schemas()},
    }


def documents() -> dict[str, str]:
    """Text of every generated file by name, each ending in a newline."""
    built = {
        f"{name}.schema.json": json.dumps(json_schema(schema), indent=2, ensure_ascii=False) + "\n"
        for name, schema in SCHEMAS.items()
    }
    built[ASYNCAPI] = yaml.safe_dump(asyncapi(), sort_keys=False, allow_unicode=True, width=100)
    return built


def generated_folder() -> Path:
    """Where the generated files lie: `schemas/generated` of this installation."""
    return Path(str(files("schemas"))) / "generated"


def drift(folder: Path) -> list[str]:
    """Names of files in `folder` that are missing, stale or of no schema; empty when in step."""
    wanted = documents()
    there = {path.name: path.read_text("utf-8") for path in folder.glob("*.schema.json")}
    if (folder / ASYNCAPI).is_file():
        there[ASYNCAPI] = (folder / ASYNCAPI).read_text("utf-8")
    stale = [name for name, text in wanted.items() if there.get(name) != text]
    # Whoever points us at a folder with other people's schemas keeps them.
    ours = {name for name, text in there.items() if f'"$id": "{URN}' in text}
    return sorted([*stale, *(ours - wanted.keys())])


def write(folder: Path) -> list[str]:
    """Brings `folder` in step with the models; the names of files written or removed."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = documents()
    changed = drift(folder)
    for name in changed:
        if name in wanted:
            (folder / name).write_text(wanted[name], encoding="utf-8")
        else:
            (folder / name).unlink()
    return changed
