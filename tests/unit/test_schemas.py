"""What the models, their generated documents and their examples promise to each other."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import jsonschema
import msgspec
import pytest
import typer
import yaml
from typer.testing import CliRunner

import schemas
from schemas.cascades import Gate, Lead
from schemas.frames import (
    BANDS,
    BookState,
    Cell,
    Flow,
    LateCell,
    MacroValue,
    TickerState,
    VenueInterest,
    VenueTrades,
)
from schemas.generate import ASYNCAPI, documents, drift, generated_folder, write
from schemas.positioning import VenueFunding
from schemas.raw import RawRecord
from schemas.regimes import Driver
from schemas.registry import SCHEMAS
from schemas.signals import SignalRow
from schemas.units import Row
from schemas.zones import Zone
from streams.cli import prove
from streams.contracts import (
    decode_status,
    encode,
    partition_for,
    topics,
)
from streams.core import events, frames, results
from streams.core.events import BadLine, Book, Liquidation, Raw, Rejected, Ticker, Trade
from streams.core.normalise import normalise
from streams.raw_records import bad_line_headers, raw_from_record
from streams.venues import FORCED_ON_TAPE, PARSERS
from streams.venues.catalog import default_instruments

PAIRS: list[tuple[type[Row], type[msgspec.Struct]]] = [
    *((s.model, s.struct) for s in SCHEMAS.values() if s.model and s.struct),
    (Cell, frames.Cell),
    (LateCell, frames.LateCell),
    (Flow, frames.Flow),
    (TickerState, frames.TickerState),
    (BookState, frames.BookState),
    (Gate, results.Gate),
    (Lead, results.Lead),
    (MacroValue, frames.MacroValue),
    (VenueTrades, frames.VenueTrades),
    (VenueInterest, frames.VenueInterest),
    (Driver, results.Driver),
    (Zone, results.Zone),
    (VenueFunding, results.VenueFunding),
]
EXAMPLES = [(name, value) for name in SCHEMAS for value in schemas.examples(name)]
DECODED = [(name, value) for name, value in EXAMPLES if SCHEMAS[name].struct]


def shape(hint: Any) -> Any:
    """A type as plain data, equal for a struct's annotation and its model's."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return shape(args[0])
    if origin is Literal:
        return ("enum", args)
    if origin in (Union, UnionType):
        literals = [arg for arg in args if get_origin(arg) is Literal]
        if len(literals) == len(args):
            return ("enum", tuple(value for arg in literals for value in get_args(arg)))
        return ("union", frozenset(shape(arg) for arg in args))
    if origin in (tuple, dict):
        return (origin.__name__, tuple(arg if arg is ... else shape(arg) for arg in args))
    if isinstance(hint, type) and issubclass(hint, (Row, msgspec.Struct)):
        return ("object", hint.__name__)
    assert hint in (str, int, float, bool, NoneType), hint
    return hint


def struct_fields(struct: type[msgspec.Struct]) -> list[tuple[str, Any, Any]]:
    """(wire name, shape, default) of a struct in the order of its JSON."""
    info = msgspec.inspect.type_info(struct)
    assert isinstance(info, msgspec.inspect.StructType)
    hints = get_type_hints(struct, include_extras=True)
    given = [
        (
            field.encode_name,
            shape(hints[field.name]),
            field.default_factory()
            if field.default_factory is not msgspec.NODEFAULT
            else field.default,
        )
        for field in info.fields
    ]
    if info.tag_field is None:
        return given
    return [(info.tag_field, ("enum", (info.tag,)), msgspec.NODEFAULT), *given]


def model_fields(model: type[Row]) -> list[tuple[str, Any, Any]]:
    """(wire name, shape, default) of a model in the order of its JSON."""
    hints = get_type_hints(model, include_extras=True)
    return [
        (
            field.alias or name,
            shape(hints[name]),
            msgspec.NODEFAULT if field.is_required() else field.get_default(),
        )
        for name, field in model.model_fields.items()
    ]


@pytest.mark.parametrize(("model", "struct"), PAIRS)
def test_a_model_and_its_struct_have_one_field_list(
    model: type[Row], struct: type[msgspec.Struct]
) -> None:
    assert model.__name__ == struct.__name__
    assert model_fields(model) == struct_fields(struct)


def members(module: Any) -> set[str]:
    return {
        name
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, msgspec.Struct)
        if value.__module__.startswith(module.__name__)
    }


def test_every_struct_that_travels_has_a_model() -> None:
    known = {struct.__name__ for _, struct in PAIRS}
    inside = {"Raw", "Rejected", "BadLine", "Ignored", "SignalRow"}
    assert members(events) | members(frames) | members(results) == known | inside


@pytest.mark.parametrize("model", [model for model, _ in PAIRS])
def test_every_field_is_documented_and_null_explained(model: type[Row]) -> None:
    for name, field in model.model_fields.items():
        assert field.description, name
        # A signal says the reason of each null in the row itself.
        reasoned = issubclass(model, SignalRow) and name not in model.self_evident
        if NoneType in get_args(field.annotation) and not reasoned:
            words = (field.description or "").lower()
            assert any(word in words for word in ("null", "absent", "else")), name


def test_every_schema_of_a_topic_exists() -> None:
    assert {spec.schema for spec in topics().values()} <= SCHEMAS.keys()


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_has_at_least_two_examples(name: str) -> None:
    assert len(schemas.examples(name)) >= 2


@pytest.mark.parametrize(("name", "value"), EXAMPLES)
def test_an_example_passes_the_model_and_the_json_schema(name: str, value: bytes) -> None:
    document = json.loads((generated_folder() / f"{name}.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator(document).validate(json.loads(value))
    model = SCHEMAS[name].adapter.validate_json(value)
    assert json.loads(model.model_dump_json(exclude_unset=True)) == json.loads(value)


@pytest.mark.parametrize(("name", "value"), DECODED)
def test_an_example_is_repeated_by_its_struct(name: str, value: bytes) -> None:
    struct = SCHEMAS[name].struct
    assert struct is not None
    again = encode(msgspec.json.decode(value, type=struct, strict=True))
    assert json.loads(again) == json.loads(value)
    assert list(json.loads(again)) == list(json.loads(value))


@pytest.mark.parametrize("value", schemas.examples("raw"))
def test_a_raw_example_stands_as_a_kafka_record(value: bytes) -> None:
    key, headers, payload = RawRecord.model_validate_json(value).record()
    raw = raw_from_record(tuple(headers), payload)
    assert isinstance(raw, Raw)
    assert raw.payload == payload
    assert key.decode().isupper()
    if raw.channel == "status":
        assert encode(decode_status(payload)) == payload


@pytest.mark.parametrize("value", schemas.examples("raw"))
def test_a_raw_example_means_what_its_key_and_channel_say(value: bytes) -> None:
    key, headers, payload = RawRecord.model_validate_json(value).record()
    raw = raw_from_record(headers, payload)
    assert isinstance(raw, Raw)
    if raw.channel is None or raw.channel == "status":
        return
    outcomes = normalise(raw, PARSERS, default_instruments())
    assert outcomes
    for event in outcomes:
        assert isinstance(event, (Liquidation, Trade, Ticker, Book)), event
        kind = type(event).__name__.lower()
        assert event.asset.encode() == key
        forced_trade = kind == "liquidation" and raw.channel == "trade"
        assert kind == raw.channel or (forced_trade and raw.venue in FORCED_ON_TAPE)
        SCHEMAS[kind].adapter.validate_json(encode(event))


def test_raw_examples_cover_every_venue_family_and_channel() -> None:
    records = [*map(RawRecord.model_validate_json, schemas.examples("raw"))]
    found = {(record.headers.venue, record.headers.channel) for record in records}
    pairs = [one for one in records if '"instId":"BTC-USDT"' in one.value]
    assert {one.headers.channel for one in pairs} == {"trade", "ticker", "book"}
    market = {"liquidation", "trade", "ticker", "book"}
    for venue in ("binance-usdm", "binance-coinm", "bybit", "okx"):
        assert {channel for name, channel in found if name == venue} == {*market, "status"}
    for venue in ("hyperliquid", "htx", "dydx", "gate", "bitget", "bitmex"):
        assert {channel for name, channel in found if name == venue} == market
    spot = ("binance-spot", "bybit-spot", "gate-spot", "bitget-spot", "coinbase")
    for venue in (*spot, "deribit", "kraken", "kucoin"):
        assert {channel for name, channel in found if name == venue} == market - {"liquidation"}
    operations = {decode_status(value).op for value in schemas.examples("status")}
    assert operations == {"connect", "subscribe", "heartbeat", "gap", "disconnect", "end"}


@pytest.mark.parametrize("name", ["frame", "contribution", "cascade", "print"])
def test_examples_stand_on_the_partition_of_their_asset(name: str) -> None:
    for value in map(json.loads, schemas.examples(name)):
        asset = value.get("asset") or value["scope"]
        assert value["partition"] == (0 if asset == "ALL" else partition_for(asset))


def test_examples_of_no_schema_are_asked_for_in_vain() -> None:
    with pytest.raises(KeyError):
        schemas.examples("no_such_schema")


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_generated_schema_is_sound_and_closed(name: str) -> None:
    document = json.loads(documents()[f"{name}.schema.json"])
    jsonschema.Draft202012Validator.check_schema(document)
    objects = [node for node in nodes(document) if "properties" in node]
    assert objects
    assert all(node["additionalProperties"] is False for node in objects)
    assert all("description" in field for node in objects for field in node["properties"].values())


def test_generated_files_are_in_step_with_the_models() -> None:
    assert drift(generated_folder()) == [], "run `marginquake schemas generate`"


def test_the_command_finds_mends_and_reports_a_drift(tmp_path: Path) -> None:
    app = typer.Typer()
    app.callback()(lambda: None)
    prove.register(app)
    run = CliRunner()
    folder = ["--folder", str(tmp_path)]
    foreign = tmp_path / "theirs.schema.json"
    foreign.write_text('{"$id": "urn:theirs"}')
    (tmp_path / "old.schema.json").write_text('{"$id": "urn:marginquake:old:v1"}')

    missing = run.invoke(app, ["schemas", "check", "--json", *folder])
    assert missing.exit_code == 1
    assert json.loads(missing.stdout)["files"] == sorted([*documents(), "old.schema.json"])

    assert run.invoke(app, ["schemas", "generate", *folder]).exit_code == 0
    assert foreign.exists()
    assert not (tmp_path / "old.schema.json").exists()
    assert run.invoke(app, ["schemas", "check", *folder]).exit_code == 0

    (tmp_path / "tick.schema.json").write_text("{}")
    stale = run.invoke(app, ["schemas", "check", *folder])
    assert stale.exit_code == 1
    assert "tick.schema.json" in stale.stdout
    assert write(tmp_path) == ["tick.schema.json"]


def nodes(document: Any) -> Iterator[dict[str, Any]]:
    """Every JSON object inside a document."""
    if isinstance(document, dict):
        yield document
        for value in document.values():
            yield from nodes(value)
    elif isinstance(document, list):
        for value in document:
            yield from nodes(value)


ASYNC: dict[str, Any] = yaml.safe_load(documents()[ASYNCAPI])


def resolve(reference: str) -> Any:
    """What a local reference of the AsyncAPI document points at; KeyError when nothing."""
    assert reference.startswith("#/")
    found: Any = ASYNC
    for part in reference[2:].split("/"):
        found = found[part.replace("~1", "/").replace("~0", "~")]
    return found


def test_the_asyncapi_document_has_what_version_3_requires() -> None:
    assert ASYNC["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= ASYNC["info"].keys()
    assert all("." not in key for key in ASYNC["channels"])
    for operation in ASYNC["operations"].values():
        assert operation["action"] in ("send", "receive")
        channel = resolve(operation["channel"]["$ref"])
        listed = [resolve(message["$ref"]) for message in operation["messages"]]
        assert listed == list(channel["messages"].values())
    for message in ASYNC["components"]["messages"].values():
        assert {"name", "title", "contentType", "payload", "bindings"} <= message.keys()


def test_every_reference_of_the_asyncapi_document_resolves() -> None:
    references = [node["$ref"] for node in nodes(ASYNC) if "$ref" in node]
    assert len(references) > 50
    for reference in references:
        assert isinstance(resolve(reference), dict)


def test_the_asyncapi_document_has_a_channel_for_every_topic() -> None:
    channels = {channel["address"]: channel for channel in ASYNC["channels"].values()}
    assert channels.keys() == topics().keys()
    for name, spec in topics().items():
        kafka = channels[name]["bindings"]["kafka"]
        assert kafka["partitions"] == spec.partitions
        settings = kafka["topicConfiguration"]
        assert settings["cleanup.policy"] == [spec.cleanup_policy]
        assert settings.get("retention.ms") == spec.retention_ms
        assert settings["max.message.bytes"] == spec.max_message_bytes
        assert set(channels[name]["messages"]) == {
            *(SCHEMAS[spec.schema].members or (spec.schema,))
        }


def test_the_asyncapi_document_names_the_headers_of_raw_records() -> None:
    headers = resolve(ASYNC["components"]["messages"]["raw"]["headers"]["$ref"])
    assert headers["required"] == ["venue", "channel", "connection", "received_at"]
    assert list(headers["properties"])[4:6] == ["slice", "message_id"]
    bad = BadLine(Rejected("invalid_json", "why"), Raw("v", None, "c", 0, b""), 0, "f:1")
    written = [name for name, _ in bad_line_headers(bad)]
    assert list(headers["properties"])[6:] == written[4:]


@pytest.mark.parametrize(("name", "value"), DECODED)
def test_an_example_passes_the_schema_inside_the_asyncapi_document(name: str, value: bytes) -> None:
    """AsyncAPI's dialect is draft 07: its tools do not know `prefixItems`."""
    model = SCHEMAS[name].model
    assert model is not None
    document = {
        "$ref": f"#/components/schemas/{model.__name__}",
        "components": ASYNC["components"],
    }
    assert not [node for node in nodes(ASYNC) if "prefixItems" in node or "$defs" in node]
    jsonschema.Draft7Validator(document).validate(json.loads(value))


def test_depth_has_one_number_for_each_band() -> None:
    assert len(frames.DEPTH_BANDS_BP) == BANDS
