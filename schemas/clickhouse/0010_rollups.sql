-- Rollups: 1 s frames -> 1 m -> 1 h, forced orders by minute and hour, venue, side and kind.
-- A view of a rollup equals the aggregate over FINAL of its base, whatever was repeated, came late
-- or was revised: see docs/decisions/rollups.md. Each insert into a base counts a touch of the hours
-- that it holds. `marginquake rollups`, the sink and `replay` aggregate touched hours again, and write
-- down the count that the stored rows include. A view takes an hour from the stored rows when
-- the two counts are equal, and from the base otherwise.

CREATE TABLE IF NOT EXISTS rollup_hours
(
    rollup LowCardinality(String) COMMENT 'table of the rollup',
    asset LowCardinality(String) COMMENT 'coin',
    hour DateTime('UTC') COMMENT 'hour of event time, UTC',
    touches SimpleAggregateFunction(sum, UInt64) COMMENT 'inserts that held rows of the hour',
    built SimpleAggregateFunction(max, UInt64) COMMENT 'touches that the stored rows include, 0 = none stored'
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (rollup, asset, hour)
SETTINGS non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'Which hours of which rollup are stored as their base has them now';

CREATE TABLE IF NOT EXISTS liquidations_1m
(
    asset LowCardinality(String) COMMENT 'coin whose price decides',
    minute DateTime('UTC') COMMENT 'minute of event time, UTC' CODEC(Delta, ZSTD(1)),
    venue LowCardinality(String) COMMENT 'venue that published the orders',
    position_side LowCardinality(String) COMMENT 'side of the closed positions: long or short',
    kind LowCardinality(String) COMMENT 'liquidation, adl or backstop',
    orders UInt64 COMMENT 'forced orders' CODEC(T64, ZSTD(1)),
    total_usd Decimal(38, 6) COMMENT 'USD of the orders' CODEC(ZSTD(1)),
    max_usd Decimal(18, 6) COMMENT 'USD of the largest order' CODEC(T64, ZSTD(1)),
    late_orders UInt64 COMMENT 'orders known only from late.v1' CODEC(T64, ZSTD(1)),
    late_usd Decimal(38, 6) COMMENT 'USD of those' CODEC(ZSTD(1)),
    generation UInt64 COMMENT 'touches that the row includes' CODEC(T64, ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(minute)
ORDER BY (asset, minute, venue, position_side, kind, generation)
SETTINGS non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'Forced orders by minute, all generations; read v_liquidations_1m';

CREATE TABLE IF NOT EXISTS liquidations_1h
(
    asset LowCardinality(String) COMMENT 'coin whose price decides',
    hour DateTime('UTC') COMMENT 'hour of event time, UTC' CODEC(Delta, ZSTD(1)),
    venue LowCardinality(String) COMMENT 'venue that published the orders',
    position_side LowCardinality(String) COMMENT 'side of the closed positions: long or short',
    kind LowCardinality(String) COMMENT 'liquidation, adl or backstop',
    orders UInt64 COMMENT 'forced orders' CODEC(T64, ZSTD(1)),
    total_usd Decimal(38, 6) COMMENT 'USD of the orders' CODEC(ZSTD(1)),
    max_usd Decimal(18, 6) COMMENT 'USD of the largest order' CODEC(T64, ZSTD(1)),
    late_orders UInt64 COMMENT 'orders known only from late.v1' CODEC(T64, ZSTD(1)),
    late_usd Decimal(38, 6) COMMENT 'USD of those' CODEC(ZSTD(1)),
    generation UInt64 COMMENT 'touches that the row includes' CODEC(T64, ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (asset, hour, venue, position_side, kind, generation)
SETTINGS non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'Forced orders by hour, all generations; read v_liquidations_1h';

CREATE TABLE IF NOT EXISTS frames_1m
(
    asset LowCardinality(String) COMMENT 'coin of the frames',
    minute DateTime('UTC') COMMENT 'minute of event time, UTC' CODEC(Delta, ZSTD(1)),
    frames UInt64 COMMENT 'frames of the minute' CODEC(T64, ZSTD(1)),
    complete UInt64 COMMENT 'frames with every subscribed venue healthy' CODEC(T64, ZSTD(1)),
    coverage_min Float64 COMMENT 'lowest coverage of a frame, 0..1' CODEC(ZSTD(1)),
    forced_orders UInt64 COMMENT 'forced orders in time, without adl' CODEC(T64, ZSTD(1)),
    forced_long_usd Decimal(38, 6) COMMENT 'USD of closed longs in time, without adl' CODEC(ZSTD(1)),
    forced_short_usd Decimal(38, 6) COMMENT 'USD of closed shorts in time, without adl' CODEC(ZSTD(1)),
    open Nullable(Float64) COMMENT 'first price, USD per coin; the price of a second is the median last price of the derivative markets that traded in it. Null without trades' CODEC(ZSTD(1)),
    high Nullable(Float64) COMMENT 'highest price' CODEC(ZSTD(1)),
    low Nullable(Float64) COMMENT 'lowest price' CODEC(ZSTD(1)),
    close Nullable(Float64) COMMENT 'last price' CODEC(ZSTD(1)),
    generation UInt64 COMMENT 'touches that the row includes' CODEC(T64, ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(minute)
ORDER BY (asset, minute, generation)
SETTINGS non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'Frames by minute, all generations; read v_frames_1m';

CREATE TABLE IF NOT EXISTS frames_1h
(
    asset LowCardinality(String) COMMENT 'coin of the frames',
    hour DateTime('UTC') COMMENT 'hour of event time, UTC' CODEC(Delta, ZSTD(1)),
    frames UInt64 COMMENT 'frames of the hour' CODEC(T64, ZSTD(1)),
    complete UInt64 COMMENT 'frames with every subscribed venue healthy' CODEC(T64, ZSTD(1)),
    coverage_min Float64 COMMENT 'lowest coverage of a frame, 0..1' CODEC(ZSTD(1)),
    forced_orders UInt64 COMMENT 'forced orders in time, without adl' CODEC(T64, ZSTD(1)),
    forced_long_usd Decimal(38, 6) COMMENT 'USD of closed longs in time, without adl' CODEC(ZSTD(1)),
    forced_short_usd Decimal(38, 6) COMMENT 'USD of closed shorts in time, without adl' CODEC(ZSTD(1)),
    open Nullable(Float64) COMMENT 'first price, USD per coin, as in frames_1m' CODEC(ZSTD(1)),
    high Nullable(Float64) COMMENT 'highest price' CODEC(ZSTD(1)),
    low Nullable(Float64) COMMENT 'lowest price' CODEC(ZSTD(1)),
    close Nullable(Float64) COMMENT 'last price' CODEC(ZSTD(1)),
    generation UInt64 COMMENT 'touches that the row includes' CODEC(T64, ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (asset, hour, generation)
SETTINGS non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'Frames by hour, all generations; read v_frames_1h';

CREATE TABLE IF NOT EXISTS candles_1m
(
    asset LowCardinality(String) COMMENT 'coin of the frames',
    minute DateTime('UTC') COMMENT 'minute of event time, UTC' CODEC(Delta, ZSTD(1)),
    venue LowCardinality(String) COMMENT 'venue of the market',
    symbol LowCardinality(String) COMMENT 'the venue''s own symbol',
    contract LowCardinality(String) COMMENT 'linear, inverse, quanto or spot',
    trades UInt64 COMMENT 'trades' CODEC(T64, ZSTD(1)),
    buy_usd Decimal(38, 6) COMMENT 'USD bought by takers' CODEC(ZSTD(1)),
    sell_usd Decimal(38, 6) COMMENT 'USD sold by takers' CODEC(ZSTD(1)),
    unknown_usd Decimal(38, 6) COMMENT 'USD of trades whose side is unknown' CODEC(ZSTD(1)),
    open Float64 COMMENT 'first price of the minute, USD per coin' CODEC(ZSTD(1)),
    high Float64 COMMENT 'highest price' CODEC(ZSTD(1)),
    low Float64 COMMENT 'lowest price' CODEC(ZSTD(1)),
    close Float64 COMMENT 'last price' CODEC(ZSTD(1)),
    generation UInt64 COMMENT 'touches that the row includes' CODEC(T64, ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(minute)
ORDER BY (asset, minute, venue, symbol, contract, generation)
SETTINGS non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'Trades by market and minute, all generations; read v_candles_1m';

CREATE TABLE IF NOT EXISTS candles_1h
(
    asset LowCardinality(String) COMMENT 'coin of the frames',
    hour DateTime('UTC') COMMENT 'hour of event time, UTC' CODEC(Delta, ZSTD(1)),
    venue LowCardinality(String) COMMENT 'venue of the market',
    symbol LowCardinality(String) COMMENT 'the venue''s own symbol',
    contract LowCardinality(String) COMMENT 'linear, inverse, quanto or spot',
    trades UInt64 COMMENT 'trades' CODEC(T64, ZSTD(1)),
    buy_usd Decimal(38, 6) COMMENT 'USD bought by takers' CODEC(ZSTD(1)),
    sell_usd Decimal(38, 6) COMMENT 'USD sold by takers' CODEC(ZSTD(1)),
    unknown_usd Decimal(38, 6) COMMENT 'USD of trades whose side is unknown' CODEC(ZSTD(1)),
    open Float64 COMMENT 'first price of the hour, USD per coin' CODEC(ZSTD(1)),
    high Float64 COMMENT 'highest price' CODEC(ZSTD(1)),
    low Float64 COMMENT 'lowest price' CODEC(ZSTD(1)),
    close Float64 COMMENT 'last price' CODEC(ZSTD(1)),
    generation UInt64 COMMENT 'touches that the row includes' CODEC(T64, ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (asset, hour, venue, symbol, contract, generation)
SETTINGS non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'Trades by market and hour, all generations; read v_candles_1h';

-- An insert is seen in the base before its touch is, so that whoever reads a count and then the base
-- reads no less than what the count tells of.
CREATE MATERIALIZED VIEW IF NOT EXISTS touch_by_liquidations TO rollup_hours AS
SELECT
    arrayJoin(['liquidations_1m', 'liquidations_1h']) AS rollup, asset,
    toStartOfHour(event_time_us) AS hour, toUInt64(1) AS touches, toUInt64(0) AS built
FROM liquidations
GROUP BY asset, hour, rollup;

CREATE MATERIALIZED VIEW IF NOT EXISTS touch_by_frames TO rollup_hours AS
SELECT
    arrayJoin(['frames_1m', 'frames_1h', 'candles_1m', 'candles_1h']) AS rollup, asset,
    toStartOfHour(second) AS hour, toUInt64(1) AS touches, toUInt64(0) AS built
FROM frames
GROUP BY asset, hour, rollup;

CREATE OR REPLACE VIEW v_rollup_hours AS
SELECT rollup, asset, hour, touches, built, touches = built AS stored FROM rollup_hours FINAL;

-- What each rollup is (`_live`): the aggregate over its base.
-- A coin stands in the list of stored hours as its hash: sixteen bytes a row of the list, which a
-- look-up reads in half the time of text. Two of ten thousand coins share one with odds of 3e-12.
-- A reader looks at the base, then at the counts, then at the stored rows, of which no generation is
-- replaced: an hour that is stored anew meanwhile is neither missed nor counted twice.
CREATE OR REPLACE VIEW v_liquidations_1m_live AS
SELECT
    asset, toStartOfMinute(event_time_us) AS minute, venue, position_side, kind,
    count() AS orders, sum(usd) AS total_usd, max(usd) AS max_usd,
    countIf(is_late) AS late_orders, sumIf(usd, is_late) AS late_usd,
    toStartOfHour(event_time_us) AS of_hour
FROM liquidations FINAL
GROUP BY asset, minute, venue, position_side, kind, of_hour;

CREATE OR REPLACE VIEW v_liquidations_1m AS
SELECT
    asset, minute, venue, position_side, kind, orders, total_usd, max_usd, late_orders, late_usd
FROM v_liquidations_1m_live
WHERE (asset, of_hour) IN
(
    SELECT asset, hour FROM rollup_hours FINAL WHERE rollup = 'liquidations_1m' AND touches != built
)
UNION ALL
SELECT
    asset, minute, venue, position_side, kind, orders, total_usd, max_usd, late_orders, late_usd
FROM liquidations_1m FINAL
WHERE (sipHash64(asset), toStartOfHour(minute), toUInt32(generation)) IN
(
    SELECT sipHash64(asset), hour, toUInt32(touches)
    FROM rollup_hours FINAL WHERE rollup = 'liquidations_1m' AND touches = built
);

CREATE OR REPLACE VIEW v_liquidations_1h_live AS
SELECT
    asset, toStartOfHour(event_time_us) AS hour, venue, position_side, kind,
    count() AS orders, sum(usd) AS total_usd, max(usd) AS max_usd,
    countIf(is_late) AS late_orders, sumIf(usd, is_late) AS late_usd
FROM liquidations FINAL
GROUP BY asset, hour, venue, position_side, kind;

CREATE OR REPLACE VIEW v_liquidations_1h AS
SELECT
    asset, hour, venue, position_side, kind, orders, total_usd, max_usd, late_orders, late_usd
FROM v_liquidations_1h_live
WHERE (asset, hour) IN
(
    SELECT asset, hour FROM rollup_hours FINAL WHERE rollup = 'liquidations_1h' AND touches != built
)
UNION ALL
SELECT
    asset, hour, venue, position_side, kind, orders, total_usd, max_usd, late_orders, late_usd
FROM liquidations_1h FINAL
WHERE (sipHash64(asset), hour, toUInt32(generation)) IN
(
    SELECT sipHash64(asset), hour, toUInt32(touches)
    FROM rollup_hours FINAL WHERE rollup = 'liquidations_1h' AND touches = built
);

CREATE OR REPLACE VIEW v_frames_1m_live AS
SELECT
    asset, toStartOfMinute(second) AS minute, count() AS frames,
    countIf(coverage = 1) AS complete, min(coverage) AS coverage_min,
    sum(arraySum(arrayFilter((n, kind) -> kind != 'adl', cells.n, cells.kind))) AS forced_orders,
    sum(arraySum(arrayFilter((usd, side, kind) -> side = 'long' AND kind != 'adl', cells.usd, cells.side, cells.kind))) AS forced_long_usd,
    sum(arraySum(arrayFilter((usd, side, kind) -> side = 'short' AND kind != 'adl', cells.usd, cells.side, cells.kind))) AS forced_short_usd,
    argMin(price, second) AS open, max(price) AS high, min(price) AS low,
    argMax(price, second) AS close, toStartOfHour(second) AS of_hour
FROM
(
    SELECT
        asset, second, coverage, cells.n, cells.usd, cells.side, cells.kind,
        arrayFilter((last, contract) -> contract != 'spot', flows.close, flows.contract) AS prices,
        if(empty(prices), NULL, arrayReduce('quantileExactLow', prices)) AS price
    FROM frames FINAL
)
GROUP BY asset, minute, of_hour;

CREATE OR REPLACE VIEW v_frames_1m AS
SELECT
    asset, minute, frames, complete, coverage_min, forced_orders, forced_long_usd,
    forced_short_usd, open, high, low, close
FROM v_frames_1m_live
WHERE (asset, of_hour) IN
(
    SELECT asset, hour FROM rollup_hours FINAL WHERE rollup = 'frames_1m' AND touches != built
)
UNION ALL
SELECT
    asset, minute, frames, complete, coverage_min, forced_orders, forced_long_usd,
    forced_short_usd, open, high, low, close
FROM frames_1m FINAL
WHERE (sipHash64(asset), toStartOfHour(minute), toUInt32(generation)) IN
(
    SELECT sipHash64(asset), hour, toUInt32(touches)
    FROM rollup_hours FINAL WHERE rollup = 'frames_1m' AND touches = built
);

CREATE OR REPLACE VIEW v_frames_1h_live AS
SELECT
    asset, toStartOfHour(second) AS hour, count() AS frames,
    countIf(coverage = 1) AS complete, min(coverage) AS coverage_min,
    sum(arraySum(arrayFilter((n, kind) -> kind != 'adl', cells.n, cells.kind))) AS forced_orders,
    sum(arraySum(arrayFilter((usd, side, kind) -> side = 'long' AND kind != 'adl', cells.usd, cells.side, cells.kind))) AS forced_long_usd,
    sum(arraySum(arrayFilter((usd, side, kind) -> side = 'short' AND kind != 'adl', cells.usd, cells.side, cells.kind))) AS forced_short_usd,
    argMin(price, second) AS open, max(price) AS high, min(price) AS low,
    argMax(price, second) AS close
FROM
(
    SELECT
        asset, second, coverage, cells.n, cells.usd, cells.side, cells.kind,
        arrayFilter((last, contract) -> contract != 'spot', flows.close, flows.contract) AS prices,
        if(empty(prices), NULL, arrayReduce('quantileExactLow', prices)) AS price
    FROM frames FINAL
)
GROUP BY asset, hour;

CREATE OR REPLACE VIEW v_frames_1h AS
SELECT
    asset, hour, frames, complete, coverage_min, forced_orders, forced_long_usd,
    forced_short_usd, open, high, low, close
FROM v_frames_1h_live
WHERE (asset, hour) IN
(
    SELECT asset, hour FROM rollup_hours FINAL WHERE rollup = 'frames_1h' AND touches != built
)
UNION ALL
SELECT
    asset, hour, frames, complete, coverage_min, forced_orders, forced_long_usd,
    forced_short_usd, open, high, low, close
FROM frames_1h FINAL
WHERE (sipHash64(asset), hour, toUInt32(generation)) IN
(
    SELECT sipHash64(asset), hour, toUInt32(touches)
    FROM rollup_hours FINAL WHERE rollup = 'frames_1h' AND touches = built
);

CREATE OR REPLACE VIEW v_candles_1m_live AS
SELECT
    f.asset AS asset, toStartOfMinute(f.second) AS minute, flow.venue AS venue,
    flow.symbol AS symbol, flow.contract AS contract, sum(flow.n) AS trades,
    sum(flow.buy_usd) AS buy_usd, sum(flow.sell_usd) AS sell_usd,
    sum(flow.unknown_usd) AS unknown_usd, argMin(flow.open, f.second) AS open,
    max(flow.high) AS high, min(flow.low) AS low, argMax(flow.close, f.second) AS close,
    toStartOfHour(f.second) AS of_hour
FROM frames AS f FINAL
ARRAY JOIN flows AS flow
GROUP BY asset, minute, venue, symbol, contract, of_hour;

CREATE OR REPLACE VIEW v_candles_1m AS
SELECT
    asset, minute, venue, symbol, contract, trades, buy_usd, sell_usd, unknown_usd,
    open, high, low, close
FROM v_candles_1m_live
WHERE (asset, of_hour) IN
(
    SELECT asset, hour FROM rollup_hours FINAL WHERE rollup = 'candles_1m' AND touches != built
)
UNION ALL
SELECT
    asset, minute, venue, symbol, contract, trades, buy_usd, sell_usd, unknown_usd,
    open, high, low, close
FROM candles_1m FINAL
WHERE (sipHash64(asset), toStartOfHour(minute), toUInt32(generation)) IN
(
    SELECT sipHash64(asset), hour, toUInt32(touches)
    FROM rollup_hours FINAL WHERE rollup = 'candles_1m' AND touches = built
);

CREATE OR REPLACE VIEW v_candles_1h_live AS
SELECT
    f.asset AS asset, toStartOfHour(f.second) AS hour, flow.venue AS venue,
    flow.symbol AS symbol, flow.contract AS contract, sum(flow.n) AS trades,
    sum(flow.buy_usd) AS buy_usd, sum(flow.sell_usd) AS sell_usd,
    sum(flow.unknown_usd) AS unknown_usd, argMin(flow.open, f.second) AS open,
    max(flow.high) AS high, min(flow.low) AS low, argMax(flow.close, f.second) AS close
FROM frames AS f FINAL
ARRAY JOIN flows AS flow
GROUP BY asset, hour, venue, symbol, contract;

CREATE OR REPLACE VIEW v_candles_1h AS
SELECT
    asset, hour, venue, symbol, contract, trades, buy_usd, sell_usd, unknown_usd,
    open, high, low, close
FROM v_candles_1h_live
WHERE (asset, hour) IN
(
    SELECT asset, hour FROM rollup_hours FINAL WHERE rollup = 'candles_1h' AND touches != built
)
UNION ALL
SELECT
    asset, hour, venue, symbol, contract, trades, buy_usd, sell_usd, unknown_usd,
    open, high, low, close
FROM candles_1h FINAL
WHERE (sipHash64(asset), hour, toUInt32(generation)) IN
(
    SELECT sipHash64(asset), hour, toUInt32(touches)
    FROM rollup_hours FINAL WHERE rollup = 'candles_1h' AND touches = built
);
