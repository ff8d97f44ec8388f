"""The graph of the Flink job: frames.v1 and market_inputs.v1 to the result topics.

Between `functions` and `session`. Frames are keyed by asset; contributions stay in the job, so the
market stage joins them with the framer's ticks and nothing is written twice. Watermarks align the
reading of partitions and mean nothing else: event time is in the frames. Delivery is at least
once: Flink flushes the producers before a checkpoint counts, ids are deterministic.
"""

from typing import Any, Final

import msgspec
from pyflink.common import Duration, WatermarkStrategy
from pyflink.common.serialization import SimpleStringSchema
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.kafka import KafkaOffsetsInitializer, KafkaSource
from pyflink.table import DataTypes, Schema, StreamTableEnvironment, TableDescriptor

from streams import contracts
from streams.core.params import Params
from streams.core.results import MARKET
from streams.engines.flink.functions import (
    CONTRIBUTIONS,
    RESULT,
    TEXT,
    AssetFunction,
    Histories,
    MarketFunction,
    decoded,
)
from streams.engines.flink.jobmanager import GROUP

MOST_APART_S: Final = 300
"""How far a partition may be read ahead of the slowest, by the times at which records were
written: what is ahead waits in the market stage's state.
"""
IDLE_S: Final = 10
"""A partition without records for so long holds no other back."""


class _Asset(msgspec.Struct):
    asset: str


_asset = msgspec.json.Decoder(_Asset)


def asset_of(frame: str) -> str:
    """The asset of a frame's text."""
    return decoded(contracts.FRAMES, _asset.decode, frame).asset


def build(
    env: StreamExecutionEnvironment,
    kafka: str,
    params: Params,
    resumed: bool,
    histories: Histories,
    lost_through: int | None,
) -> None:
    """Add the job to the environment.

    Args:
        env: where it will run.
        kafka: bootstrap servers, as its workers see them.
        params: of the detectors.
        resumed: it continues from a checkpoint or savepoint.
        histories: reads what stages without a state begin with, there where they run.
        lost_through: as `trimmed.lost_through` says of the topic now.
    """
    frames = _source(env, kafka, contracts.FRAMES)
    ticks = _source(env, kafka, contracts.MARKET_INPUTS).set_parallelism(1)
    rows = (
        frames.key_by(asset_of, key_type=TEXT)
        .process(AssetFunction(params, resumed, histories), output_type=RESULT)
        .name("asset stage")
        .uid("asset-stage")
    )
    market = (
        rows.get_side_output(CONTRIBUTIONS)
        .connect(ticks)
        .key_by(_market, _market, key_type=TEXT)
        .process(MarketFunction(params, histories, lost_through), output_type=RESULT)
        .set_parallelism(1)
        .name("market stage")
        .uid("market-stage")
    )
    _write(env, kafka, rows.union(market))


def _market(_: str) -> str:
    return MARKET


def _source(env: StreamExecutionEnvironment, kafka: str, topic: str) -> Any:
    source = (
        KafkaSource.builder()
        .set_bootstrap_servers(kafka)
        .set_topics(topic)
        .set_group_id(GROUP)
        .set_client_id_prefix(f"{GROUP}-{topic}")
        .set_starting_offsets(KafkaOffsetsInitializer.earliest())
        .set_value_only_deserializer(SimpleStringSchema())
        .set_property("commit.offsets.on.checkpoint", "true")
        .set_property("partition.discovery.interval.ms", "0")
        .build()
    )
    aligned = (
        WatermarkStrategy.for_monotonous_timestamps()
        .with_idleness(Duration.of_seconds(IDLE_S))
        .with_watermark_alignment("partitions", Duration.of_seconds(MOST_APART_S))
    )
    return env.from_source(source, aligned, topic, TEXT).uid(topic)


def _write(env: StreamExecutionEnvironment, kafka: str, rows: Any) -> None:
    """Send rows (topic, key, value) to their topics.

    Through the Table API, whose sink takes the topic and the key from columns; PyFlink's KafkaSink
    takes a key from bytes alone, and thread mode has none.
    """
    tables = StreamTableEnvironment.create(env)
    columns = (
        Schema.new_builder()
        .column("topic", DataTypes.STRING())
        .column("record_key", DataTypes.STRING())
        .column("record", DataTypes.STRING())
        .build()
    )
    target = (
        TableDescriptor.for_connector("kafka")
        .schema(
            Schema.new_builder()
            .column_by_metadata("topic", DataTypes.STRING())
            .column("record_key", DataTypes.STRING())
            .column("record", DataTypes.STRING())
            .build()
        )
        .option("topic", ";".join(contracts.RESULT_TOPICS))
        .option("properties.bootstrap.servers", kafka)
        .option("properties.acks", "all")
        .option("properties.enable.idempotence", "true")
        .option("properties.compression.type", "lz4")
        .option("properties.linger.ms", "5")
        .option("key.format", "raw")
        .option("key.fields", "record_key")
        .option("value.format", "raw")
        .option("value.fields-include", "EXCEPT_KEY")
        .option("sink.delivery-guarantee", "at-least-once")
        .build()
    )
    tables.create_temporary_table("results", target)
    statements = tables.create_statement_set()
    statements.add_insert("results", tables.from_data_stream(rows, columns))
    statements.attach_as_datastream()
