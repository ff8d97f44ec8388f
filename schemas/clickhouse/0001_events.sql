-- Events: forced orders, late copies, dead letters and the health of feeds.
-- Column names are the field names of the messages. Times are DateTime64(6) in UTC; dollars are
-- Decimal(18,6), the same 64-bit integer as the micro-dollars on the topics.
-- Partitions follow a time that never changes for an id, so FINAL leaves one row per id.

CREATE TABLE IF NOT EXISTS liquidations
(
    venue LowCardinality(String) COMMENT 'venue that published the order, e.g. binance-usdm',
    symbol LowCardinality(String) COMMENT 'the venue''s own symbol',
    asset LowCardinality(String) COMMENT 'coin whose price decides, e.g. BTC',
    contract LowCardinality(String) COMMENT 'linear, inverse, quanto or spot',
    kind LowCardinality(String) COMMENT 'liquidation, adl or backstop',
    position_side LowCardinality(String) COMMENT 'side of the position that was closed: long or short',
    order_side LowCardinality(String) COMMENT 'side of the forced order: a sell closes a long',
    price Float64 COMMENT 'USD per one coin of asset; price_kind says which price' CODEC(ZSTD(1)),
    price_kind LowCardinality(String) COMMENT 'bankruptcy, order, avg_fill, fill or unknown',
    base_qty Nullable(Float64) COMMENT 'coins of asset; null for quanto contracts' CODEC(ZSTD(1)),
    usd Decimal(18, 6) COMMENT 'USD notional of the order' CODEC(T64, ZSTD(1)),
    event_time_us DateTime64(6, 'UTC') COMMENT 'the venue''s time stamp, UTC' CODEC(Delta, ZSTD(1)),
    received_at_us DateTime64(6, 'UTC') COMMENT 'when the collector received it, UTC' CODEC(Delta, ZSTD(1)),
    completeness LowCardinality(String) COMMENT 'what the feed shows: all, sampled, aggregated or unknown',
    id String COMMENT 'identity of the order, the same on every path and after every replay' CODEC(ZSTD(1)),
    is_late Bool COMMENT 'known only from late.v1: its second was sealed before it came',
    revision UInt64 COMMENT '1 = in time, 0 = late copy: a late copy never hides the order in time',
    CONSTRAINT usd_is_not_negative CHECK usd >= 0
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYYYYMM(event_time_us)
ORDER BY (asset, event_time_us, id)
SETTINGS non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'Forced orders, one row per id; read v_liquidations';

CREATE TABLE IF NOT EXISTS late_events
(
    venue LowCardinality(String) COMMENT 'venue that published the order',
    symbol LowCardinality(String) COMMENT 'the venue''s own symbol',
    asset LowCardinality(String) COMMENT 'coin whose price decides',
    contract LowCardinality(String) COMMENT 'linear, inverse, quanto or spot',
    kind LowCardinality(String) COMMENT 'liquidation, adl or backstop',
    position_side LowCardinality(String) COMMENT 'side of the position that was closed: long or short',
    order_side LowCardinality(String) COMMENT 'side of the forced order',
    price Float64 COMMENT 'USD per one coin of asset' CODEC(ZSTD(1)),
    price_kind LowCardinality(String) COMMENT 'bankruptcy, order, avg_fill, fill or unknown',
    base_qty Nullable(Float64) COMMENT 'coins of asset; null for quanto contracts' CODEC(ZSTD(1)),
    usd Decimal(18, 6) COMMENT 'USD notional of the order' CODEC(T64, ZSTD(1)),
    event_time_us DateTime64(6, 'UTC') COMMENT 'the venue''s time stamp, UTC' CODEC(Delta, ZSTD(1)),
    received_at_us DateTime64(6, 'UTC') COMMENT 'when the collector received it, UTC' CODEC(Delta, ZSTD(1)),
    completeness LowCardinality(String) COMMENT 'what the feed shows: all, sampled, aggregated or unknown',
    id String COMMENT 'the id of the order, shared with liquidations' CODEC(ZSTD(1)),
    sealed_through_us DateTime64(6, 'UTC') COMMENT 'event time that had been passed when it came, UTC' CODEC(Delta, ZSTD(1)),
    revision UInt64 COMMENT 'always 0',
    CONSTRAINT usd_is_not_negative CHECK usd >= 0
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYYYYMM(event_time_us)
ORDER BY (asset, event_time_us, id)
SETTINGS non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'Liquidations whose second was sealed before they came; read v_late_events';

CREATE TABLE IF NOT EXISTS dead_letters
(
    id String COMMENT 'identity of the rejected record or row' CODEC(ZSTD(1)),
    reason LowCardinality(String) COMMENT 'why, from a closed list',
    detail String COMMENT 'what exactly was wrong' CODEC(ZSTD(1)),
    stage LowCardinality(String) COMMENT 'who rejected it: framer, detect, sink, replay or webhook',
    source String COMMENT 'where it stood: topic-partition@offset or file:line' CODEC(ZSTD(1)),
    row Int64 COMMENT 'index of the row inside its message' CODEC(ZSTD(1)),
    venue LowCardinality(String) COMMENT 'venue of the record, empty when unknown',
    channel LowCardinality(Nullable(String)) COMMENT 'channel of the record, null when the log did not say',
    connection LowCardinality(String) COMMENT 'connection of the collector',
    received_at_us DateTime64(6, 'UTC') COMMENT 'when the record was received, UTC' CODEC(Delta, ZSTD(1)),
    payload String COMMENT 'at most 4 KiB of the record, undecodable bytes replaced' CODEC(ZSTD(3)),
    payload_bytes UInt64 COMMENT 'full size of the record in bytes' CODEC(T64, ZSTD(1)),
    revision UInt64 COMMENT 'always 0'
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYYYYMM(received_at_us)
ORDER BY (stage, reason, received_at_us, id)
SETTINGS non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'Records that could not be used; read v_dead_letters';

CREATE TABLE IF NOT EXISTS feed_status
(
    id String COMMENT 'identity of the change' CODEC(ZSTD(1)),
    venue LowCardinality(String) COMMENT 'venue of the feed',
    channel LowCardinality(String) COMMENT 'liquidation, trade, ticker or book',
    connection LowCardinality(String) COMMENT 'connection of the collector',
    state LowCardinality(String) COMMENT 'up or down: whether it takes part in the joint watermark from now on',
    reason LowCardinality(String) COMMENT 'why it changed',
    at_us DateTime64(6, 'UTC') COMMENT 'when it changed, UTC' CODEC(Delta, ZSTD(1)),
    through_us Nullable(DateTime64(6, 'UTC')) COMMENT 'event time up to which it had written everything, UTC' CODEC(ZSTD(1)),
    revision UInt64 COMMENT 'always 0'
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYYYYMM(at_us)
ORDER BY (venue, channel, connection, at_us, id)
SETTINGS non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'Channels that joined or left the joint watermark; read v_feed_status';
