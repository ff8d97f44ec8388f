-- Frames: one row per asset and sealed second, its members as parallel arrays.
-- One table and not five: a frame is then written whole or not at all, a repeated frame replaces
-- itself, and ARRAY JOIN of one group (v_frame_cells, v_frame_flows, ...) reads like a table.

CREATE TABLE IF NOT EXISTS frames
(
    asset LowCardinality(String) COMMENT 'coin of the frame',
    partition UInt16 COMMENT 'Kafka partition of the asset' CODEC(T64, ZSTD(1)),
    second DateTime64(6, 'UTC') COMMENT 'the event-time second, UTC' CODEC(Delta, ZSTD(1)),
    prev Nullable(DateTime64(6, 'UTC')) COMMENT 'second of the asset''s previous frame, null for its first' CODEC(ZSTD(1)),
    coverage Float64 COMMENT 'share of subscribed venues whose liquidation feed was healthy, 0..1' CODEC(ZSTD(1)),
    venues_up Array(LowCardinality(String)) COMMENT 'venues whose liquidation feed was healthy',
    venues_all Array(LowCardinality(String)) COMMENT 'venues whose liquidation feed was ever subscribed',
    channels Array(LowCardinality(String)) COMMENT 'healthy pushed channels, venue/channel',
    quiet Bool COMMENT 'nothing happened and health is as in the previous frame',

    `cells.venue` Array(LowCardinality(String)) COMMENT 'forced orders by venue, symbol, side and kind',
    `cells.symbol` Array(LowCardinality(String)) COMMENT 'the venue''s own symbol',
    `cells.side` Array(LowCardinality(String)) COMMENT 'side of the closed positions: long or short',
    `cells.kind` Array(LowCardinality(String)) COMMENT 'liquidation, adl or backstop',
    `cells.completeness` Array(LowCardinality(String)) COMMENT 'what the feed shows: all, sampled, aggregated, unknown',
    `cells.n` Array(UInt32) COMMENT 'orders' CODEC(T64, ZSTD(1)),
    `cells.usd` Array(Decimal(18, 6)) COMMENT 'USD of the orders' CODEC(T64, ZSTD(1)),
    `cells.max_usd` Array(Decimal(18, 6)) COMMENT 'USD of the largest order' CODEC(T64, ZSTD(1)),
    `cells.taker_usd` Array(Nullable(Decimal(18, 6))) COMMENT 'USD of taker volume on the forced side, null without trades' CODEC(ZSTD(1)),
    `cells.opposite_taker_usd` Array(Nullable(Decimal(18, 6))) COMMENT 'USD of taker volume on the other side, null without trades' CODEC(ZSTD(1)),

    `late.second` Array(DateTime64(6, 'UTC')) COMMENT 'late forced orders: the second they belong to, UTC' CODEC(ZSTD(1)),
    `late.venue` Array(LowCardinality(String)) COMMENT 'venue',
    `late.symbol` Array(LowCardinality(String)) COMMENT 'the venue''s own symbol',
    `late.side` Array(LowCardinality(String)) COMMENT 'side of the closed positions: long or short',
    `late.kind` Array(LowCardinality(String)) COMMENT 'liquidation, adl or backstop',
    `late.n` Array(UInt32) COMMENT 'orders' CODEC(ZSTD(1)),
    `late.usd` Array(Decimal(18, 6)) COMMENT 'USD of the orders' CODEC(ZSTD(1)),

    `flows.venue` Array(LowCardinality(String)) COMMENT 'trades by venue and symbol',
    `flows.symbol` Array(LowCardinality(String)) COMMENT 'the venue''s own symbol',
    `flows.contract` Array(LowCardinality(String)) COMMENT 'linear, inverse, quanto or spot',
    `flows.n` Array(UInt32) COMMENT 'trades' CODEC(T64, ZSTD(1)),
    `flows.buy_usd` Array(Decimal(18, 6)) COMMENT 'USD bought by takers' CODEC(T64, ZSTD(1)),
    `flows.sell_usd` Array(Decimal(18, 6)) COMMENT 'USD sold by takers' CODEC(T64, ZSTD(1)),
    `flows.open` Array(Float64) COMMENT 'first price of the second, USD per coin' CODEC(ZSTD(1)),
    `flows.high` Array(Float64) COMMENT 'highest price, USD per coin' CODEC(ZSTD(1)),
    `flows.low` Array(Float64) COMMENT 'lowest price, USD per coin' CODEC(ZSTD(1)),
    `flows.close` Array(Float64) COMMENT 'last price of the second, USD per coin' CODEC(ZSTD(1)),

    `tickers.venue` Array(LowCardinality(String)) COMMENT 'last known ticker by venue and symbol',
    `tickers.symbol` Array(LowCardinality(String)) COMMENT 'the venue''s own symbol',
    `tickers.contract` Array(LowCardinality(String)) COMMENT 'linear, inverse, quanto or spot',
    `tickers.mark_price` Array(Nullable(Float64)) COMMENT 'USD per coin' CODEC(ZSTD(1)),
    `tickers.index_price` Array(Nullable(Float64)) COMMENT 'USD per coin' CODEC(ZSTD(1)),
    `tickers.last_price` Array(Nullable(Float64)) COMMENT 'USD per coin' CODEC(ZSTD(1)),
    `tickers.open_interest_base` Array(Nullable(Float64)) COMMENT 'one-sided open interest in coins' CODEC(ZSTD(1)),
    `tickers.open_interest_usd` Array(Nullable(Decimal(18, 6))) COMMENT 'one-sided open interest in USD where the venue states dollars' CODEC(ZSTD(1)),
    `tickers.open_interest_as_of_us` Array(Nullable(DateTime64(6, 'UTC'))) COMMENT 'when the open interest was read, UTC' CODEC(ZSTD(1)),
    `tickers.funding_rate` Array(Nullable(Float64)) COMMENT 'fraction due at next_funding_us' CODEC(ZSTD(1)),
    `tickers.next_funding_us` Array(Nullable(DateTime64(6, 'UTC'))) COMMENT 'next funding time, UTC' CODEC(ZSTD(1)),
    `tickers.funding_interval_s` Array(Nullable(UInt32)) COMMENT 'funding interval in seconds' CODEC(ZSTD(1)),
    `tickers.as_of_us` Array(DateTime64(6, 'UTC')) COMMENT 'newest of the values above, UTC' CODEC(ZSTD(1)),

    `books.venue` Array(LowCardinality(String)) COMMENT 'last book of the second by venue and symbol',
    `books.symbol` Array(LowCardinality(String)) COMMENT 'the venue''s own symbol',
    `books.contract` Array(LowCardinality(String)) COMMENT 'linear, inverse, quanto or spot',
    `books.bid` Array(Float64) COMMENT 'best bid, USD per coin' CODEC(ZSTD(1)),
    `books.ask` Array(Float64) COMMENT 'best ask, USD per coin' CODEC(ZSTD(1)),
    `books.bid_usd` Array(Array(Nullable(Decimal(18, 6)))) COMMENT 'USD bid within 10, 25, 50 and 100 bp of the mid, null beyond the snapshot' CODEC(ZSTD(1)),
    `books.ask_usd` Array(Array(Nullable(Decimal(18, 6)))) COMMENT 'USD asked within 10, 25, 50 and 100 bp of the mid, null beyond the snapshot' CODEC(ZSTD(1)),
    `books.as_of_us` Array(DateTime64(6, 'UTC')) COMMENT 'time of the snapshot, UTC' CODEC(ZSTD(1)),
    `books.buy_slip_bp` Array(Array(Nullable(Float64))) COMMENT 'basis points from the mid that buying $100k and $1M costs, null beyond the snapshot' CODEC(ZSTD(1)),
    `books.sell_slip_bp` Array(Array(Nullable(Float64))) COMMENT 'the same for selling' CODEC(ZSTD(1)),

    `macro.series` Array(LowCardinality(String)) COMMENT 'outside values known by the second',
    `macro.value` Array(Float64) COMMENT 'value in the unit of its source' CODEC(ZSTD(1)),
    `macro.at_us` Array(DateTime64(6, 'UTC')) COMMENT 'time that the value speaks for, UTC' CODEC(ZSTD(1)),

    v UInt16 COMMENT 'version of the message',
    revision UInt64 COMMENT 'always 0: repeated frames are equal byte by byte',
    CONSTRAINT coverage_is_a_share CHECK coverage >= 0 AND coverage <= 1
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYYYYMM(second)
ORDER BY (asset, second)
SETTINGS non_replicated_deduplication_window = 0
COMMENT 'What one asset did in one second, one row per asset and second; read v_frames';
