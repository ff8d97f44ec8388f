-- Results: cascade windows, 24-hour prints and milestones. Every row is an upsert by id; the
-- highest revision is current. onset, period_start and crossed_at never change for an id.

CREATE TABLE IF NOT EXISTS cascades
(
    id String COMMENT 'identity of the window: scope, side, onset and definition' CODEC(ZSTD(1)),
    revision UInt64 COMMENT 'logical revision, the highest is current' CODEC(T64, ZSTD(1)),
    is_final Bool COMMENT 'no later revision will come',
    definition LowCardinality(String) COMMENT 'name and version of the definition',
    params_hash LowCardinality(String) COMMENT 'hash of the parameters in use',
    engine LowCardinality(String) COMMENT 'inprocess, faust or flink',
    scope LowCardinality(String) COMMENT 'asset, or ALL for the market',
    partition UInt16 COMMENT 'Kafka partition of the scope' CODEC(T64, ZSTD(1)),
    coverage Float64 COMMENT 'share of venues healthy, 0..1' CODEC(ZSTD(1)),
    watermark DateTime64(6, 'UTC') COMMENT 'second of the frame that caused this revision, UTC' CODEC(Delta, ZSTD(1)),
    side LowCardinality(String) COMMENT 'what was closed by force: long, short or mixed',
    class LowCardinality(String) COMMENT 'burst, or cascade once it qualified',
    phase LowCardinality(String) COMMENT 'acceleration, peak, decay or end',
    statistic LowCardinality(String) COMMENT 'which statistic raised the alarm: count, dollar or both',
    baseline LowCardinality(String) COMMENT 'ordinary rate in use: prior, blended or observed',
    onset DateTime64(6, 'UTC') COMMENT 'when it began, UTC' CODEC(Delta, ZSTD(1)),
    detected_at DateTime64(6, 'UTC') COMMENT 'when the alarm was raised, UTC' CODEC(Delta, ZSTD(1)),
    peak_at DateTime64(6, 'UTC') COMMENT 'second of the highest intensity, UTC' CODEC(Delta, ZSTD(1)),
    end Nullable(DateTime64(6, 'UTC')) COMMENT 'last forced order before the quiet gap, UTC; null while open' CODEC(ZSTD(1)),
    closed_at Nullable(DateTime64(6, 'UTC')) COMMENT 'when the END rule fired, UTC; null while open' CODEC(ZSTD(1)),
    duration_s Nullable(Float64) COMMENT 'onset to end in seconds' CODEC(ZSTD(1)),
    events UInt64 COMMENT 'forced orders observed' CODEC(T64, ZSTD(1)),
    usd_observed Decimal(18, 6) COMMENT 'USD of forced orders as published: a lower bound' CODEC(T64, ZSTD(1)),
    usd_low Nullable(Decimal(18, 6)) COMMENT 'lower end of the 80 % interval of the true USD' CODEC(ZSTD(1)),
    usd_estimated Nullable(Decimal(18, 6)) COMMENT 'USD, with what sampled and partial feeds left out' CODEC(ZSTD(1)),
    usd_high Nullable(Decimal(18, 6)) COMMENT 'upper end of the interval, null where nothing tells how much is hidden' CODEC(ZSTD(1)),
    usd_upper Nullable(Decimal(18, 6)) COMMENT 'USD upper bound, null after a partial feed and without trades' CODEC(ZSTD(1)),
    usd_late Decimal(18, 6) COMMENT 'part of usd_observed that came late, USD' CODEC(T64, ZSTD(1)),
    events_late UInt64 COMMENT 'forced orders that came late' CODEC(T64, ZSTD(1)),
    adl_usd Decimal(18, 6) COMMENT 'USD closed by auto-deleveraging' CODEC(T64, ZSTD(1)),
    identifiability LowCardinality(String) COMMENT 'ok, extrapolated (a part from complete feeds and open interest); else usd_estimated is a floor: saturated or unknown',
    share_long Nullable(Float64) COMMENT 'share of dollars from longs, 0..1' CODEC(ZSTD(1)),
    share_long_low Nullable(Float64) COMMENT 'lower end of its interval' CODEC(ZSTD(1)),
    share_long_high Nullable(Float64) COMMENT 'upper end of its interval' CODEC(ZSTD(1)),
    venues Array(LowCardinality(String)) COMMENT 'venues with forced orders in the window',
    usd_by_venue Map(LowCardinality(String), Decimal(18, 6)) COMMENT 'observed USD by venue',
    assets Array(LowCardinality(String)) COMMENT 'assets with forced orders in the window',
    breadth Nullable(Float64) COMMENT 'share of assets with an onset of their own within 20 minutes' CODEC(ZSTD(1)),
    origin_venue LowCardinality(Nullable(String)) COMMENT 'venue that led, null inside the clock uncertainty',
    origin_asset LowCardinality(Nullable(String)) COMMENT 'asset that led, null inside the clock uncertainty',
    propagation Array(Tuple(venue LowCardinality(String), asset LowCardinality(String), lag_s Nullable(Float64), clock_uncertainty_s Float64)) COMMENT 'followers and their lag in seconds; empty with a null_reasons entry when unknown',
    price_onset Nullable(Float64) COMMENT 'USD per coin at onset' CODEC(ZSTD(1)),
    price_extreme Nullable(Float64) COMMENT 'USD per coin at the extreme in the forced direction' CODEC(ZSTD(1)),
    impact_bp Nullable(Float64) COMMENT 'log price move onset to extreme in basis points, signed' CODEC(ZSTD(1)),
    recovery_30m Nullable(Float64) COMMENT 'share of the move taken back 30 minutes later' CODEC(ZSTD(1)),
    oi_share Nullable(Float64) COMMENT 'dollars over open interest at onset' CODEC(ZSTD(1)),
    oi_change Nullable(Float64) COMMENT 'relative change of open interest in coins' CODEC(ZSTD(1)),
    depth_min_ratio Nullable(Float64) COMMENT 'smallest depth over its ordinary value' CODEC(ZSTD(1)),
    excess_low Nullable(Float64) COMMENT 'share of the forced dollars that the forced push called forth: lower end' CODEC(ZSTD(1)),
    excess_high Nullable(Float64) COMMENT 'upper end of the excess bracket' CODEC(ZSTD(1)),
    amplification Nullable(Float64) COMMENT 'move over the move left without the forced push' CODEC(ZSTD(1)),
    amplification_book Nullable(Float64) COMMENT 'move over what the book at onset predicts' CODEC(ZSTD(1)),
    amplification_book_share Nullable(Float64) COMMENT 'share of the flow that the book held; below 1 the walk beyond it is extrapolated' CODEC(ZSTD(1)),
    branching_low Nullable(Float64) COMMENT 'lower end of the branching bracket' CODEC(ZSTD(1)),
    branching_high Nullable(Float64) COMMENT 'upper end of the branching bracket' CODEC(ZSTD(1)),
    branching_structural Nullable(Float64) COMMENT 'impact per dollar times mapped dollars in reach: no part of the bracket' CODEC(ZSTD(1)),
    branching_ks_p Nullable(Float64) COMMENT 'probability of residuals this far from the model, 0..1' CODEC(ZSTD(1)),
    branching_label LowCardinality(Nullable(String)) COMMENT 'subcritical, near_critical or unresolved',
    severity LowCardinality(Nullable(String)) COMMENT 'minor, moderate, major or extreme, by share of open interest',
    magnitude Nullable(Float64) COMMENT 'log10 of estimated USD' CODEC(ZSTD(1)),
    confidence Float64 COMMENT 'probability that this is a cascade, 0..1' CODEC(ZSTD(1)),
    elevated_day Bool COMMENT 'the day itself runs hot: concentration is not proven',
    gates Map(LowCardinality(String), Tuple(state LowCardinality(String), value Nullable(Float64), threshold Nullable(Float64))) COMMENT 'qualification gates: pass, fail or unknown, with value and threshold',
    parent_id Nullable(String) COMMENT 'id of the window that this one is an aftershock of' CODEC(ZSTD(1)),
    null_reasons Map(LowCardinality(String), String) COMMENT 'field to reason, for every number that cannot be known',
    v UInt16 COMMENT 'version of the message',
    CONSTRAINT coverage_is_a_share CHECK coverage >= 0 AND coverage <= 1
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYYYYMM(onset)
ORDER BY (scope, onset, id)
SETTINGS non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'Windows of forced selling or buying, all revisions; read v_cascades';

CREATE TABLE IF NOT EXISTS prints
(
    id String COMMENT 'identity of the print' CODEC(ZSTD(1)),
    revision UInt64 COMMENT 'logical revision, the highest is current' CODEC(T64, ZSTD(1)),
    is_final Bool COMMENT 'no later revision will come',
    definition LowCardinality(String) COMMENT 'name and version of the definition',
    params_hash LowCardinality(String) COMMENT 'hash of the parameters in use',
    engine LowCardinality(String) COMMENT 'inprocess, faust or flink',
    scope LowCardinality(String) COMMENT 'asset, or ALL for the market',
    partition UInt16 COMMENT 'Kafka partition of the scope' CODEC(T64, ZSTD(1)),
    coverage Float64 COMMENT 'mean share of venues healthy over the row''s period, 0..1' CODEC(ZSTD(1)),
    watermark DateTime64(6, 'UTC') COMMENT 'second of the frame that caused this revision, UTC' CODEC(Delta, ZSTD(1)),
    kind LowCardinality(String) COMMENT 'rolling_24h or utc_day',
    venue LowCardinality(Nullable(String)) COMMENT 'venue that the row is narrowed to, null for all venues',
    period_start DateTime64(6, 'UTC') COMMENT 'minute (rolling) or day (utc_day) of the row, UTC' CODEC(Delta, ZSTD(1)),
    as_of DateTime64(6, 'UTC') COMMENT 'second that the row speaks for, UTC' CODEC(Delta, ZSTD(1)),
    events UInt64 COMMENT 'forced orders observed' CODEC(T64, ZSTD(1)),
    usd_observed Decimal(18, 6) COMMENT 'USD of forced orders as published: a lower bound' CODEC(T64, ZSTD(1)),
    usd_estimated Nullable(Decimal(18, 6)) COMMENT 'USD, sampled feeds corrected, partial ones as published' CODEC(ZSTD(1)),
    usd_upper Nullable(Decimal(18, 6)) COMMENT 'USD upper bound, null after a partial feed and without trades' CODEC(ZSTD(1)),
    usd_late Decimal(18, 6) COMMENT 'part of usd_observed that came late, USD' CODEC(T64, ZSTD(1)),
    long_usd Decimal(18, 6) COMMENT 'observed USD of closed longs' CODEC(T64, ZSTD(1)),
    short_usd Decimal(18, 6) COMMENT 'observed USD of closed shorts' CODEC(T64, ZSTD(1)),
    long_events UInt64 COMMENT 'closed longs' CODEC(T64, ZSTD(1)),
    short_events UInt64 COMMENT 'closed shorts' CODEC(T64, ZSTD(1)),
    identifiability LowCardinality(String) COMMENT 'ok, extrapolated (a part from complete feeds and open interest); else usd_estimated is a floor: saturated or unknown',
    usd_by_venue Map(LowCardinality(String), Decimal(18, 6)) COMMENT 'observed USD by venue',
    largest_usd Decimal(18, 6) COMMENT 'USD of the largest order' CODEC(T64, ZSTD(1)),
    max_hour_share Nullable(Float64) COMMENT 'share of the dollars that fell in the densest hour' CODEC(ZSTD(1)),
    percentile_365d Nullable(Float64) COMMENT 'percentile within its own 365 days; null below 30 days' CODEC(ZSTD(1)),
    n_days UInt32 COMMENT 'days of history behind the percentile' CODEC(T64, ZSTD(1)),
    oi_share Nullable(Float64) COMMENT 'dollars over open interest' CODEC(ZSTD(1)),
    basket LowCardinality(String) COMMENT 'name of the venue basket',
    null_reasons Map(LowCardinality(String), String) COMMENT 'field to reason, for every number that cannot be known',
    v UInt16 COMMENT 'version of the message',
    CONSTRAINT coverage_is_a_share CHECK coverage >= 0 AND coverage <= 1
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYYYYMM(period_start)
ORDER BY (kind, scope, period_start, id)
SETTINGS non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'Liquidated dollars over 24 h and the UTC day, all revisions; read v_prints';

CREATE TABLE IF NOT EXISTS milestones
(
    id String COMMENT 'identity of the crossing' CODEC(ZSTD(1)),
    revision UInt64 COMMENT 'logical revision, the highest is current' CODEC(T64, ZSTD(1)),
    is_final Bool COMMENT 'no later revision will come',
    definition LowCardinality(String) COMMENT 'name and version of the definition',
    params_hash LowCardinality(String) COMMENT 'hash of the parameters in use',
    engine LowCardinality(String) COMMENT 'inprocess, faust or flink',
    scope LowCardinality(String) COMMENT 'asset, or ALL for the market',
    partition UInt16 COMMENT 'Kafka partition of the scope' CODEC(T64, ZSTD(1)),
    coverage Float64 COMMENT 'share of venues healthy, 0..1' CODEC(ZSTD(1)),
    watermark DateTime64(6, 'UTC') COMMENT 'second of the frame that caused this revision, UTC' CODEC(Delta, ZSTD(1)),
    basis LowCardinality(String) COMMENT 'observed dollars, or estimated ones with a probability',
    threshold_usd Decimal(18, 6) COMMENT 'USD that the rolling 24 h total crossed' CODEC(T64, ZSTD(1)),
    crossed_at DateTime64(6, 'UTC') COMMENT 'event time of the crossing, UTC' CODEC(Delta, ZSTD(1)),
    usd_observed Decimal(18, 6) COMMENT 'rolling 24 h USD at the crossing' CODEC(T64, ZSTD(1)),
    usd_estimated Nullable(Decimal(18, 6)) COMMENT 'the same, corrected for sampled feeds' CODEC(ZSTD(1)),
    since_previous_s Nullable(Float64) COMMENT 'seconds since the previous crossing of this threshold' CODEC(ZSTD(1)),
    percentile_365d Nullable(Float64) COMMENT 'percentile within its own 365 days; null below 30 days' CODEC(ZSTD(1)),
    max_hour_share Nullable(Float64) COMMENT 'share of the dollars that fell in the densest hour' CODEC(ZSTD(1)),
    probability Nullable(Float64) COMMENT 'probability that the true total has crossed' CODEC(ZSTD(1)),
    text String COMMENT 'the crossing in words' CODEC(ZSTD(1)),
    null_reasons Map(LowCardinality(String), String) COMMENT 'field to reason, for every number that cannot be known',
    v UInt16 COMMENT 'version of the message',
    CONSTRAINT coverage_is_a_share CHECK coverage >= 0 AND coverage <= 1
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYYYYMM(crossed_at)
ORDER BY (scope, crossed_at, id)
SETTINGS non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'Crossings of round totals by the rolling 24 h print; read v_milestones';
