-- Signals: one table a kind, one row a reading. A reading is published when its content is new and
-- at each turn of an hour, so the last row of a scope stands until the next one. Lists of members
-- are parallel arrays. Dollars are USD.

CREATE TABLE IF NOT EXISTS regimes
(
    id String COMMENT 'identity of the row' CODEC(ZSTD(1)),
    revision UInt64 COMMENT 'always 1: a signal is written once' CODEC(T64, ZSTD(1)),
    is_final Bool COMMENT 'always true',
    definition LowCardinality(String) COMMENT 'name and version of the definition',
    params_hash LowCardinality(String) COMMENT 'hash of the parameters in use',
    engine LowCardinality(String) COMMENT 'inprocess, faust or flink',
    scope LowCardinality(String) COMMENT 'asset, or ALL for the market',
    partition UInt16 COMMENT 'Kafka partition of the scope' CODEC(T64, ZSTD(1)),
    coverage Float64 COMMENT 'share of venues healthy, 0..1' CODEC(ZSTD(1)),
    watermark DateTime64(6, 'UTC') COMMENT 'second of event time that caused the row, UTC' CODEC(Delta, ZSTD(1)),
    at DateTime64(6, 'UTC') COMMENT 'second that the row speaks for, UTC' CODEC(Delta, ZSTD(1)),
    null_reasons Map(LowCardinality(String), String) COMMENT 'field to reason, for every number that cannot be known',
    v UInt16 COMMENT 'version of the message' CODEC(T64, ZSTD(1)),
    state LowCardinality(Nullable(String)) COMMENT 'the committed phase. Null before enough history and while no phase stands out',
    sub_state LowCardinality(Nullable(String)) COMMENT 'active or reset inside a liquidation phase, else null',
    crowd_side LowCardinality(Nullable(String)) COMMENT 'which side is crowded, by funding. Null when neither is',
    p_accumulation Nullable(Float64) COMMENT 'filtered probability of accumulation' CODEC(ZSTD(1)),
    p_expansion Nullable(Float64) COMMENT 'filtered probability of expansion' CODEC(ZSTD(1)),
    p_euphoria Nullable(Float64) COMMENT 'filtered probability of euphoria' CODEC(ZSTD(1)),
    p_liquidation Nullable(Float64) COMMENT 'filtered probability of liquidation' CODEC(ZSTD(1)),
    `drivers.feature` Array(LowCardinality(String)) COMMENT 'name of the feature, as in the definition',
    `drivers.value` Array(Float64) COMMENT 'its percentile (0..1) or value' CODEC(ZSTD(1)),
    `drivers.weight` Array(Float64) COMMENT 'what it adds to the score of the phase' CODEC(ZSTD(1)),
    since Nullable(DateTime64(6, 'UTC')) COMMENT 'when the phase was entered, UTC' CODEC(ZSTD(1)),
    dwell_h Nullable(Float64) COMMENT 'hours since then' CODEC(ZSTD(1)),
    history_days Float64 COMMENT 'days of history behind the percentiles' CODEC(ZSTD(1)),
    leverage_basis LowCardinality(Nullable(String)) COMMENT 'what open interest was divided by. Null when there was nothing to divide by',
    features Map(LowCardinality(String), Float64) COMMENT 'every input by name (percentiles; _raw: values); what was missing is absent',
    missing Map(LowCardinality(String), String) COMMENT 'why a feature is absent',
    transition_id Nullable(String) COMMENT 'the transition that led to the phase. Null for the first' CODEC(ZSTD(1)),
    CONSTRAINT coverage_is_a_share CHECK coverage >= 0 AND coverage <= 1
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYYYYMM(at)
ORDER BY (scope, at, id)
SETTINGS non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'The leverage phase of a scope; read v_regimes';

CREATE TABLE IF NOT EXISTS regime_transitions
(
    id String COMMENT 'identity of the row' CODEC(ZSTD(1)),
    revision UInt64 COMMENT 'always 1: a signal is written once' CODEC(T64, ZSTD(1)),
    is_final Bool COMMENT 'always true',
    definition LowCardinality(String) COMMENT 'name and version of the definition',
    params_hash LowCardinality(String) COMMENT 'hash of the parameters in use',
    engine LowCardinality(String) COMMENT 'inprocess, faust or flink',
    scope LowCardinality(String) COMMENT 'asset, or ALL for the market',
    partition UInt16 COMMENT 'Kafka partition of the scope' CODEC(T64, ZSTD(1)),
    coverage Float64 COMMENT 'share of venues healthy, 0..1' CODEC(ZSTD(1)),
    watermark DateTime64(6, 'UTC') COMMENT 'second of event time that caused the row, UTC' CODEC(Delta, ZSTD(1)),
    at DateTime64(6, 'UTC') COMMENT 'second that the row speaks for, UTC' CODEC(Delta, ZSTD(1)),
    null_reasons Map(LowCardinality(String), String) COMMENT 'field to reason, for every number that cannot be known',
    v UInt16 COMMENT 'version of the message' CODEC(T64, ZSTD(1)),
    from_state LowCardinality(Nullable(String)) COMMENT 'the phase that was left. Null for the first',
    to_state LowCardinality(String) COMMENT 'the phase that was entered',
    probability Float64 COMMENT 'filtered probability of the new phase at the change' CODEC(ZSTD(1)),
    crowd_side LowCardinality(Nullable(String)) COMMENT 'which side was crowded. Null when neither was',
    `drivers.feature` Array(LowCardinality(String)) COMMENT 'name of the feature, as in the definition',
    `drivers.value` Array(Float64) COMMENT 'its percentile (0..1) or value' CODEC(ZSTD(1)),
    `drivers.weight` Array(Float64) COMMENT 'what it adds to the score of the phase' CODEC(ZSTD(1)),
    trigger_cascade_id Nullable(String) COMMENT 'the cascade window behind a change to liquidation. Null without one' CODEC(ZSTD(1)),
    price Nullable(Float64) COMMENT 'reference price at the change, USD. Null without one' CODEC(ZSTD(1)),
    CONSTRAINT coverage_is_a_share CHECK coverage >= 0 AND coverage <= 1
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYYYYMM(at)
ORDER BY (scope, at, id)
SETTINGS non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'Committed changes of leverage phase; read v_regime_transitions';

CREATE TABLE IF NOT EXISTS regime_resolutions
(
    id String COMMENT 'identity of the row' CODEC(ZSTD(1)),
    revision UInt64 COMMENT 'always 1: a signal is written once' CODEC(T64, ZSTD(1)),
    is_final Bool COMMENT 'always true',
    definition LowCardinality(String) COMMENT 'name and version of the definition',
    params_hash LowCardinality(String) COMMENT 'hash of the parameters in use',
    engine LowCardinality(String) COMMENT 'inprocess, faust or flink',
    scope LowCardinality(String) COMMENT 'asset, or ALL for the market',
    partition UInt16 COMMENT 'Kafka partition of the scope' CODEC(T64, ZSTD(1)),
    coverage Float64 COMMENT 'share of venues healthy, 0..1' CODEC(ZSTD(1)),
    watermark DateTime64(6, 'UTC') COMMENT 'second of event time that caused the row, UTC' CODEC(Delta, ZSTD(1)),
    at DateTime64(6, 'UTC') COMMENT 'second that the row speaks for, UTC' CODEC(Delta, ZSTD(1)),
    null_reasons Map(LowCardinality(String), String) COMMENT 'field to reason, for every number that cannot be known',
    v UInt16 COMMENT 'version of the message' CODEC(T64, ZSTD(1)),
    transition_id String COMMENT 'the transition that is resolved' CODEC(ZSTD(1)),
    resolved LowCardinality(Nullable(String)) COMMENT 'whether the trend resumed. Null without prices',
    price_before Nullable(Float64) COMMENT 'price before the event, USD' CODEC(ZSTD(1)),
    price_high_after Nullable(Float64) COMMENT 'the farthest price of the crowd''s direction in the 72 hours, USD' CODEC(ZSTD(1)),
    trend_after Nullable(Float64) COMMENT 'trend feature at the end, in standard deviations' CODEC(ZSTD(1)),
    CONSTRAINT coverage_is_a_share CHECK coverage >= 0 AND coverage <= 1
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYYYYMM(at)
ORDER BY (scope, at, id)
SETTINGS non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'What a liquidation phase led to, told 72 h later; read v_regime_resolutions';

CREATE TABLE IF NOT EXISTS imbalance
(
    id String COMMENT 'identity of the row' CODEC(ZSTD(1)),
    revision UInt64 COMMENT 'always 1: a signal is written once' CODEC(T64, ZSTD(1)),
    is_final Bool COMMENT 'always true',
    definition LowCardinality(String) COMMENT 'name and version of the definition',
    params_hash LowCardinality(String) COMMENT 'hash of the parameters in use',
    engine LowCardinality(String) COMMENT 'inprocess, faust or flink',
    scope LowCardinality(String) COMMENT 'asset, or ALL for the market',
    partition UInt16 COMMENT 'Kafka partition of the scope' CODEC(T64, ZSTD(1)),
    coverage Float64 COMMENT 'share of venues healthy, 0..1' CODEC(ZSTD(1)),
    watermark DateTime64(6, 'UTC') COMMENT 'second of event time that caused the row, UTC' CODEC(Delta, ZSTD(1)),
    at DateTime64(6, 'UTC') COMMENT 'second that the row speaks for, UTC' CODEC(Delta, ZSTD(1)),
    null_reasons Map(LowCardinality(String), String) COMMENT 'field to reason, for every number that cannot be known',
    v UInt16 COMMENT 'version of the message' CODEC(T64, ZSTD(1)),
    venue LowCardinality(Nullable(String)) COMMENT 'dimension: the only venue counted. Null is the sum over all venues',
    window_s UInt32 COMMENT 'length of the window, s: 300, 3600 or 86400' CODEC(T64, ZSTD(1)),
    long_usd Nullable(Decimal(18, 6)) COMMENT 'closed longs, corrected for throttled feeds, USD. Null when no venue tells' CODEC(ZSTD(1)),
    short_usd Nullable(Decimal(18, 6)) COMMENT 'closed shorts, likewise' CODEC(ZSTD(1)),
    long_observed Decimal(18, 6) COMMENT 'closed longs as published, late ones included, USD' CODEC(T64, ZSTD(1)),
    short_observed Decimal(18, 6) COMMENT 'closed shorts as published' CODEC(T64, ZSTD(1)),
    events UInt64 COMMENT 'published forced orders' CODEC(T64, ZSTD(1)),
    n_eff Float64 COMMENT 'kish''s effective number of orders, (sum w)^2 / sum w^2' CODEC(ZSTD(1)),
    kappa_usd Decimal(18, 6) COMMENT 'shrinkage: the ordinary total of five minutes, USD' CODEC(T64, ZSTD(1)),
    neutral_share Float64 COMMENT 'natural long share of the basket, slowly estimated' CODEC(ZSTD(1)),
    long_share Nullable(Float64) COMMENT 'longs over both sides, unshrunk. Null when nothing was closed' CODEC(ZSTD(1)),
    lsi Nullable(Float64) COMMENT '(L - S) / (L + S + kappa), -1..1' CODEC(ZSTD(1)),
    lsi_adjusted Nullable(Float64) COMMENT 'logit of the shrunk long share less that of the natural share' CODEC(ZSTD(1)),
    z Nullable(Float64) COMMENT 'significance of lsi_adjusted by the effective number of orders' CODEC(ZSTD(1)),
    total_percentile Nullable(Float64) COMMENT 'rank of the total among its own history, 0..1' CODEC(ZSTD(1)),
    history_days UInt64 COMMENT 'observed days of the same basket behind kappa_usd and total_percentile' CODEC(T64, ZSTD(1)),
    dominant LowCardinality(Nullable(String)) COMMENT 'the side that dominates by share, significance and size. Null when neither does',
    label LowCardinality(Nullable(String)) COMMENT 'what the dominance means in context. Null when no side dominates or its context is missing (then with a reason)',
    price_change Nullable(Float64) COMMENT 'context of a dominant side: relative change of the price over the window' CODEC(ZSTD(1)),
    funding_percentile Nullable(Float64) COMMENT 'context: rank of the funding of the day before' CODEC(ZSTD(1)),
    oi_change Nullable(Float64) COMMENT 'context: relative change of open interest in coins over the window' CODEC(ZSTD(1)),
    oi_change_7d Nullable(Float64) COMMENT 'context: the same over the 7 days up to the window''s end' CODEC(ZSTD(1)),
    identifiability LowCardinality(String) COMMENT 'ok; else the corrected dollars are a floor',
    CONSTRAINT coverage_is_a_share CHECK coverage >= 0 AND coverage <= 1
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYYYYMM(at)
ORDER BY (scope, window_s, at, id)
SETTINGS non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'Who was closed by force, by window; read v_imbalance';

CREATE TABLE IF NOT EXISTS liquidity
(
    id String COMMENT 'identity of the row' CODEC(ZSTD(1)),
    revision UInt64 COMMENT 'always 1: a signal is written once' CODEC(T64, ZSTD(1)),
    is_final Bool COMMENT 'always true',
    definition LowCardinality(String) COMMENT 'name and version of the definition',
    params_hash LowCardinality(String) COMMENT 'hash of the parameters in use',
    engine LowCardinality(String) COMMENT 'inprocess, faust or flink',
    scope LowCardinality(String) COMMENT 'asset, or ALL for the market',
    partition UInt16 COMMENT 'Kafka partition of the scope' CODEC(T64, ZSTD(1)),
    coverage Float64 COMMENT 'share of venues healthy, 0..1' CODEC(ZSTD(1)),
    watermark DateTime64(6, 'UTC') COMMENT 'second of event time that caused the row, UTC' CODEC(Delta, ZSTD(1)),
    at DateTime64(6, 'UTC') COMMENT 'second that the row speaks for, UTC' CODEC(Delta, ZSTD(1)),
    null_reasons Map(LowCardinality(String), String) COMMENT 'field to reason, for every number that cannot be known',
    v UInt16 COMMENT 'version of the message' CODEC(T64, ZSTD(1)),
    venue LowCardinality(Nullable(String)) COMMENT 'dimension: the only venue looked at. Null is the asset over all venues',
    state LowCardinality(Nullable(String)) COMMENT 'committed state. Null without books or history',
    since Nullable(DateTime64(6, 'UTC')) COMMENT 'when the state was entered, UTC' CODEC(ZSTD(1)),
    z Nullable(Float64) COMMENT 'mean z of depth, spread, slippage and impact; higher is more liquid' CODEC(ZSTD(1)),
    z_inputs Map(LowCardinality(String), Float64) COMMENT 'the measures behind z, each in units of its ordinary scatter; what is not known is absent',
    spread_bp Nullable(Float64) COMMENT 'best ask less best bid over the mid, basis points' CODEC(ZSTD(1)),
    spread_ratio Nullable(Float64) COMMENT 'spread over its ordinary value' CODEC(ZSTD(1)),
    bid_usd Array(Nullable(Decimal(18, 6))) COMMENT 'bid depth within 10, 25, 50, 100 bp, USD. Null beyond the book''s reach' CODEC(ZSTD(1)),
    ask_usd Array(Nullable(Decimal(18, 6))) COMMENT 'ask depth, likewise' CODEC(ZSTD(1)),
    depth_ratio Array(Nullable(Float64)) COMMENT 'depth of both sides over its ordinary value, by band' CODEC(ZSTD(1)),
    buy_slip_100k_bp Nullable(Float64) COMMENT 'mean price of buying $100k against the mid, basis points' CODEC(ZSTD(1)),
    buy_slip_1m_bp Nullable(Float64) COMMENT 'the same for $1M' CODEC(ZSTD(1)),
    sell_slip_100k_bp Nullable(Float64) COMMENT 'mean price of selling $100k against the mid, basis points' CODEC(ZSTD(1)),
    sell_slip_1m_bp Nullable(Float64) COMMENT 'the same for $1M' CODEC(ZSTD(1)),
    kyle_lambda Nullable(Float64) COMMENT 'price change per signed taker flow, basis points per million USD' CODEC(ZSTD(1)),
    amihud Nullable(Float64) COMMENT 'absolute price change of a minute over its volume, basis points per million USD' CODEC(ZSTD(1)),
    book_imbalance Nullable(Float64) COMMENT '(bids - asks) / (bids + asks), -1..1' CODEC(ZSTD(1)),
    refill_half_life_s Nullable(Float64) COMMENT 'seconds until half of the depth taken by a large taker second is back' CODEC(ZSTD(1)),
    frozen Bool COMMENT 'the same book came ten times or more: its depth is not told',
    history_days Float64 COMMENT 'days of history behind the ordinary values' CODEC(ZSTD(1)),
    CONSTRAINT coverage_is_a_share CHECK coverage >= 0 AND coverage <= 1
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYYYYMM(at)
ORDER BY (scope, at, id)
SETTINGS non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'Depth, spread and price impact; read v_liquidity';

CREATE TABLE IF NOT EXISTS conditions
(
    id String COMMENT 'identity of the row' CODEC(ZSTD(1)),
    revision UInt64 COMMENT 'always 1: a signal is written once' CODEC(T64, ZSTD(1)),
    is_final Bool COMMENT 'always true',
    definition LowCardinality(String) COMMENT 'name and version of the definition',
    params_hash LowCardinality(String) COMMENT 'hash of the parameters in use',
    engine LowCardinality(String) COMMENT 'inprocess, faust or flink',
    scope LowCardinality(String) COMMENT 'asset, or ALL for the market',
    partition UInt16 COMMENT 'Kafka partition of the scope' CODEC(T64, ZSTD(1)),
    coverage Float64 COMMENT 'share of venues healthy, 0..1' CODEC(ZSTD(1)),
    watermark DateTime64(6, 'UTC') COMMENT 'second of event time that caused the row, UTC' CODEC(Delta, ZSTD(1)),
    at DateTime64(6, 'UTC') COMMENT 'second that the row speaks for, UTC' CODEC(Delta, ZSTD(1)),
    null_reasons Map(LowCardinality(String), String) COMMENT 'field to reason, for every number that cannot be known',
    v UInt16 COMMENT 'version of the message' CODEC(T64, ZSTD(1)),
    state LowCardinality(Nullable(String)) COMMENT 'null before enough history',
    probability Nullable(Float64) COMMENT 'probability of the state' CODEC(ZSTD(1)),
    `index` Nullable(Float64) COMMENT 'mean of the standardised inputs; above zero is expanding' CODEC(ZSTD(1)),
    inputs Map(LowCardinality(String), Float64) COMMENT 'standardised inputs by name; what was missing is absent',
    missing Map(LowCardinality(String), String) COMMENT 'why an input is absent',
    history_days Float64 COMMENT 'days of history' CODEC(ZSTD(1)),
    CONSTRAINT coverage_is_a_share CHECK coverage >= 0 AND coverage <= 1
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYYYYMM(at)
ORDER BY (scope, at, id)
SETTINGS non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'Slow index of liquidity conditions; read v_conditions';

CREATE TABLE IF NOT EXISTS zones
(
    id String COMMENT 'identity of the row' CODEC(ZSTD(1)),
    revision UInt64 COMMENT 'always 1: a signal is written once' CODEC(T64, ZSTD(1)),
    is_final Bool COMMENT 'always true',
    definition LowCardinality(String) COMMENT 'name and version of the definition',
    params_hash LowCardinality(String) COMMENT 'hash of the parameters in use',
    engine LowCardinality(String) COMMENT 'inprocess, faust or flink',
    scope LowCardinality(String) COMMENT 'asset, or ALL for the market',
    partition UInt16 COMMENT 'Kafka partition of the scope' CODEC(T64, ZSTD(1)),
    coverage Float64 COMMENT 'share of venues healthy, 0..1' CODEC(ZSTD(1)),
    watermark DateTime64(6, 'UTC') COMMENT 'second of event time that caused the row, UTC' CODEC(Delta, ZSTD(1)),
    at DateTime64(6, 'UTC') COMMENT 'second that the row speaks for, UTC' CODEC(Delta, ZSTD(1)),
    null_reasons Map(LowCardinality(String), String) COMMENT 'field to reason, for every number that cannot be known',
    v UInt16 COMMENT 'version of the message' CODEC(T64, ZSTD(1)),
    price Nullable(Float64) COMMENT 'reference price, USD' CODEC(ZSTD(1)),
    hidden Bool COMMENT 'the map''s skill is not positive, or not known: the map is not shown',
    skill Nullable(Float64) COMMENT 'log-score against a volume-profile map, per liquidated dollar. Null before enough scores' CODEC(ZSTD(1)),
    skill_uniform Nullable(Float64) COMMENT 'log-score against a map that knows distance only' CODEC(ZSTD(1)),
    auc Nullable(Float64) COMMENT 'probability that a liquidation''s price ranks above a random one of the map' CODEC(ZSTD(1)),
    n_scored UInt64 COMMENT 'liquidations behind the scores' CODEC(T64, ZSTD(1)),
    observed_share Nullable(Float64) COMMENT 'share of open interest whose positions are public. Null without open interest' CODEC(ZSTD(1)),
    map_usd Nullable(Decimal(18, 6)) COMMENT 'dollars on the whole map, USD' CODEC(ZSTD(1)),
    fuel_below_usd Array(Decimal(18, 6)) COMMENT 'longs to be closed on the way 0.5, 1, 2 and 5 % down, USD' CODEC(ZSTD(1)),
    fuel_above_usd Array(Decimal(18, 6)) COMMENT 'shorts to be closed on the way up, likewise' CODEC(ZSTD(1)),
    fuel_depth_below Nullable(Float64) COMMENT 'fuel within 1 % below over bid depth there' CODEC(ZSTD(1)),
    fuel_depth_above Nullable(Float64) COMMENT 'fuel within 1 % above over ask depth there' CODEC(ZSTD(1)),
    armed Nullable(Bool) COMMENT 'fuel exceeds depth on a side' CODEC(ZSTD(1)),
    pain_long Nullable(Float64) COMMENT 'price at which half of the mapped longs are closed, USD' CODEC(ZSTD(1)),
    pain_short Nullable(Float64) COMMENT 'price at which half of the mapped shorts are closed, USD' CODEC(ZSTD(1)),
    concentration Nullable(Float64) COMMENT 'herfindahl index of the map''s bins' CODEC(ZSTD(1)),
    share_within_5pct Nullable(Float64) COMMENT 'share of the map within 5 % of the price' CODEC(ZSTD(1)),
    `zones.price_low` Array(Float64) COMMENT 'lower edge, USD' CODEC(ZSTD(1)),
    `zones.price_high` Array(Float64) COMMENT 'upper edge, USD' CODEC(ZSTD(1)),
    `zones.side` Array(LowCardinality(String)) COMMENT 'which positions would be closed',
    `zones.usd_estimated` Array(Decimal(18, 6)) COMMENT 'estimated dollars, USD' CODEC(ZSTD(1)),
    `zones.usd_low` Array(Decimal(18, 6)) COMMENT 'lower end of the estimate' CODEC(ZSTD(1)),
    `zones.usd_high` Array(Decimal(18, 6)) COMMENT 'upper end of the estimate' CODEC(ZSTD(1)),
    `zones.distance_bp` Array(Float64) COMMENT 'signed distance from the price to the nearer edge, basis points' CODEC(ZSTD(1)),
    `zones.age_h` Array(Float64) COMMENT 'mean age of the positions behind it, hours' CODEC(ZSTD(1)),
    `zones.leverage_mix` Array(Map(LowCardinality(String), Float64)) COMMENT 'share of the dollars by leverage; 10 is 10x' CODEC(ZSTD(1)),
    CONSTRAINT coverage_is_a_share CHECK coverage >= 0 AND coverage <= 1
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYYYYMM(at)
ORDER BY (scope, at, id)
SETTINGS non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'Estimated liquidation dollars by price; read v_zones';

CREATE TABLE IF NOT EXISTS positioning
(
    id String COMMENT 'identity of the row' CODEC(ZSTD(1)),
    revision UInt64 COMMENT 'always 1: a signal is written once' CODEC(T64, ZSTD(1)),
    is_final Bool COMMENT 'always true',
    definition LowCardinality(String) COMMENT 'name and version of the definition',
    params_hash LowCardinality(String) COMMENT 'hash of the parameters in use',
    engine LowCardinality(String) COMMENT 'inprocess, faust or flink',
    scope LowCardinality(String) COMMENT 'asset, or ALL for the market',
    partition UInt16 COMMENT 'Kafka partition of the scope' CODEC(T64, ZSTD(1)),
    coverage Float64 COMMENT 'share of venues healthy, 0..1' CODEC(ZSTD(1)),
    watermark DateTime64(6, 'UTC') COMMENT 'second of event time that caused the row, UTC' CODEC(Delta, ZSTD(1)),
    at DateTime64(6, 'UTC') COMMENT 'second that the row speaks for, UTC' CODEC(Delta, ZSTD(1)),
    null_reasons Map(LowCardinality(String), String) COMMENT 'field to reason, for every number that cannot be known',
    v UInt16 COMMENT 'version of the message' CODEC(T64, ZSTD(1)),
    venue LowCardinality(Nullable(String)) COMMENT 'dimension: the only venue counted. Null is the sum over all venues',
    window_s UInt32 COMMENT 'length of the window, s: 900, 14400 or 86400' CODEC(T64, ZSTD(1)),
    quadrant LowCardinality(Nullable(String)) COMMENT 'who acts: by the signs of both changes, flat inside the dead band',
    price Nullable(Float64) COMMENT 'reference price at the end, USD' CODEC(ZSTD(1)),
    price_change Nullable(Float64) COMMENT 'relative change of the price' CODEC(ZSTD(1)),
    oi_usd Nullable(Decimal(18, 6)) COMMENT 'one-sided open interest at the end, USD' CODEC(ZSTD(1)),
    oi_base Nullable(Float64) COMMENT 'the same in coins. Null for the market' CODEC(ZSTD(1)),
    oi_change Nullable(Float64) COMMENT 'relative change in coins' CODEC(ZSTD(1)),
    oi_change_usd Nullable(Decimal(18, 6)) COMMENT 'the change in coins at the last price, USD' CODEC(ZSTD(1)),
    oi_by_venue Map(LowCardinality(String), Decimal(18, 6)) COMMENT 'one-sided open interest by venue, USD; empty in a venue''s own row',
    CONSTRAINT coverage_is_a_share CHECK coverage >= 0 AND coverage <= 1
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYYYYMM(at)
ORDER BY (scope, window_s, at, id)
SETTINGS non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'Price against open interest, by window; read v_positioning';

CREATE TABLE IF NOT EXISTS funding
(
    id String COMMENT 'identity of the row' CODEC(ZSTD(1)),
    revision UInt64 COMMENT 'always 1: a signal is written once' CODEC(T64, ZSTD(1)),
    is_final Bool COMMENT 'always true',
    definition LowCardinality(String) COMMENT 'name and version of the definition',
    params_hash LowCardinality(String) COMMENT 'hash of the parameters in use',
    engine LowCardinality(String) COMMENT 'inprocess, faust or flink',
    scope LowCardinality(String) COMMENT 'asset, or ALL for the market',
    partition UInt16 COMMENT 'Kafka partition of the scope' CODEC(T64, ZSTD(1)),
    coverage Float64 COMMENT 'share of venues healthy, 0..1' CODEC(ZSTD(1)),
    watermark DateTime64(6, 'UTC') COMMENT 'second of event time that caused the row, UTC' CODEC(Delta, ZSTD(1)),
    at DateTime64(6, 'UTC') COMMENT 'second that the row speaks for, UTC' CODEC(Delta, ZSTD(1)),
    null_reasons Map(LowCardinality(String), String) COMMENT 'field to reason, for every number that cannot be known',
    v UInt16 COMMENT 'version of the message' CODEC(T64, ZSTD(1)),
    rate_8h Nullable(Float64) COMMENT 'mean per 8 hours, weighted by open interest' CODEC(ZSTD(1)),
    annualised Nullable(Float64) COMMENT 'the same per 365 days, simple. Null where the mean per 8 hours is' CODEC(ZSTD(1)),
    dispersion_8h Nullable(Float64) COMMENT 'weighted standard deviation across venues, per 8 hours. Null below two venues' CODEC(ZSTD(1)),
    highest_venue LowCardinality(Nullable(String)) COMMENT 'venue with the highest rate. Null without venues',
    lowest_venue LowCardinality(Nullable(String)) COMMENT 'venue with the lowest rate. Null without venues',
    `venues.venue` Array(LowCardinality(String)) COMMENT 'venue',
    `venues.rate` Array(Float64) COMMENT 'rate of the present cycle, a fraction' CODEC(ZSTD(1)),
    `venues.interval_s` Array(Nullable(UInt32)) COMMENT 'length of the cycle, s. Null when the venue does not tell' CODEC(ZSTD(1)),
    `venues.rate_8h` Array(Nullable(Float64)) COMMENT 'the same per 8 hours. Null while the cycle is not told' CODEC(ZSTD(1)),
    `venues.annualised` Array(Nullable(Float64)) COMMENT 'the same per 365 days, simple. Null where the mean per 8 hours is' CODEC(ZSTD(1)),
    `venues.next_funding_us` Array(Nullable(DateTime64(6, 'UTC'))) COMMENT 'when it is due, UTC. Null until seen' CODEC(ZSTD(1)),
    `venues.oi_usd` Array(Nullable(Decimal(18, 6))) COMMENT 'the venue''s open interest, USD. Null without it' CODEC(ZSTD(1)),
    CONSTRAINT coverage_is_a_share CHECK coverage >= 0 AND coverage <= 1
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYYYYMM(at)
ORDER BY (scope, at, id)
SETTINGS non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'Funding by venue; read v_funding';

CREATE TABLE IF NOT EXISTS dominance
(
    id String COMMENT 'identity of the row' CODEC(ZSTD(1)),
    revision UInt64 COMMENT 'always 1: a signal is written once' CODEC(T64, ZSTD(1)),
    is_final Bool COMMENT 'always true',
    definition LowCardinality(String) COMMENT 'name and version of the definition',
    params_hash LowCardinality(String) COMMENT 'hash of the parameters in use',
    engine LowCardinality(String) COMMENT 'inprocess, faust or flink',
    scope LowCardinality(String) COMMENT 'asset, or ALL for the market',
    partition UInt16 COMMENT 'Kafka partition of the scope' CODEC(T64, ZSTD(1)),
    coverage Float64 COMMENT 'share of venues healthy, 0..1' CODEC(ZSTD(1)),
    watermark DateTime64(6, 'UTC') COMMENT 'second of event time that caused the row, UTC' CODEC(Delta, ZSTD(1)),
    at DateTime64(6, 'UTC') COMMENT 'second that the row speaks for, UTC' CODEC(Delta, ZSTD(1)),
    null_reasons Map(LowCardinality(String), String) COMMENT 'field to reason, for every number that cannot be known',
    v UInt16 COMMENT 'version of the message' CODEC(T64, ZSTD(1)),
    window_s UInt32 COMMENT 'length of the window, s: 3600, 86400 or 604800' CODEC(T64, ZSTD(1)),
    derivatives_usd Nullable(Decimal(38, 6)) COMMENT 'volume of perpetuals and futures, USD. Null without their trades' CODEC(ZSTD(1)),
    spot_usd Nullable(Decimal(38, 6)) COMMENT 'volume of spot markets, USD. Null without their trades' CODEC(ZSTD(1)),
    share Nullable(Float64) COMMENT 'derivatives over both' CODEC(ZSTD(1)),
    ratio Nullable(Float64) COMMENT 'derivatives over spot' CODEC(ZSTD(1)),
    oi_spot_adv Nullable(Float64) COMMENT 'open interest over the average daily spot volume' CODEC(ZSTD(1)),
    lead_share Nullable(Float64) COMMENT 'how often derivatives move first. Null without both prices' CODEC(ZSTD(1)),
    state LowCardinality(Nullable(String)) COMMENT 'who leads. Null when the ratio or what else decides is missing',
    basket LowCardinality(String) COMMENT 'name of the fixed basket of venues',
    basket_coverage Float64 COMMENT 'share of the basket''s venues that were healthy' CODEC(ZSTD(1)),
    trend_90d Nullable(Float64) COMMENT 'change of the share over 90 days' CODEC(ZSTD(1)),
    trend_365d Nullable(Float64) COMMENT 'change of the share over 365 days' CODEC(ZSTD(1)),
    oi_market_cap Nullable(Float64) COMMENT 'open interest over market capitalisation. Null without the outside series' CODEC(ZSTD(1)),
    oi_market_cap_90d Nullable(Float64) COMMENT 'its change over 90 days' CODEC(ZSTD(1)),
    history_days Float64 COMMENT 'days of history' CODEC(ZSTD(1)),
    CONSTRAINT coverage_is_a_share CHECK coverage >= 0 AND coverage <= 1
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYYYYMM(at)
ORDER BY (scope, window_s, at, id)
SETTINGS non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'Derivatives against spot volume, by window; read v_dominance';

CREATE TABLE IF NOT EXISTS volatility
(
    id String COMMENT 'identity of the row' CODEC(ZSTD(1)),
    revision UInt64 COMMENT 'always 1: a signal is written once' CODEC(T64, ZSTD(1)),
    is_final Bool COMMENT 'always true',
    definition LowCardinality(String) COMMENT 'name and version of the definition',
    params_hash LowCardinality(String) COMMENT 'hash of the parameters in use',
    engine LowCardinality(String) COMMENT 'inprocess, faust or flink',
    scope LowCardinality(String) COMMENT 'asset, or ALL for the market',
    partition UInt16 COMMENT 'Kafka partition of the scope' CODEC(T64, ZSTD(1)),
    coverage Float64 COMMENT 'share of venues healthy, 0..1' CODEC(ZSTD(1)),
    watermark DateTime64(6, 'UTC') COMMENT 'second of event time that caused the row, UTC' CODEC(Delta, ZSTD(1)),
    at DateTime64(6, 'UTC') COMMENT 'second that the row speaks for, UTC' CODEC(Delta, ZSTD(1)),
    null_reasons Map(LowCardinality(String), String) COMMENT 'field to reason, for every number that cannot be known',
    v UInt16 COMMENT 'version of the message' CODEC(T64, ZSTD(1)),
    window_s UInt32 COMMENT 'length of the window, s: 300, 3600 or 86400' CODEC(T64, ZSTD(1)),
    realised Nullable(Float64) COMMENT 'sum of squared 5-s log returns. Null without enough prices' CODEC(ZSTD(1)),
    annualised Nullable(Float64) COMMENT 'standard deviation per 365 days' CODEC(ZSTD(1)),
    bipower Nullable(Float64) COMMENT 'bipower variation, robust to jumps' CODEC(ZSTD(1)),
    jump Nullable(Float64) COMMENT 'realised less bipower, at least 0' CODEC(ZSTD(1)),
    jump_z Nullable(Float64) COMMENT 'jump test of Barndorff-Nielsen and Shephard' CODEC(ZSTD(1)),
    jump_significant Nullable(Bool) COMMENT 'the test rejects a path without jumps at 99.9 %' CODEC(ZSTD(1)),
    semivariance_up Nullable(Float64) COMMENT 'part of realised from rising returns' CODEC(ZSTD(1)),
    semivariance_down Nullable(Float64) COMMENT 'part of realised from falling returns' CODEC(ZSTD(1)),
    realised_z Nullable(Float64) COMMENT 'realised against its ordinary value at this hour, in standard deviations' CODEC(ZSTD(1)),
    forced Nullable(Float64) COMMENT 'share of variance: variance around forced flow beyond that of matched seconds' CODEC(ZSTD(1)),
    forced_low Nullable(Float64) COMMENT 'lower end of its 80 % interval' CODEC(ZSTD(1)),
    forced_high Nullable(Float64) COMMENT 'upper end' CODEC(ZSTD(1)),
    macro Nullable(Float64) COMMENT 'share of variance: variance that outside series explain' CODEC(ZSTD(1)),
    macro_low Nullable(Float64) COMMENT 'lower end of its 80 % interval' CODEC(ZSTD(1)),
    macro_high Nullable(Float64) COMMENT 'upper end' CODEC(ZSTD(1)),
    persistence Nullable(Float64) COMMENT 'share of variance: driver: its own past (HAR terms)' CODEC(ZSTD(1)),
    persistence_low Nullable(Float64) COMMENT 'lower end of its 80 % interval' CODEC(ZSTD(1)),
    persistence_high Nullable(Float64) COMMENT 'upper end' CODEC(ZSTD(1)),
    leverage Nullable(Float64) COMMENT 'share of variance: driver: leverage density' CODEC(ZSTD(1)),
    leverage_low Nullable(Float64) COMMENT 'lower end of its 80 % interval' CODEC(ZSTD(1)),
    leverage_high Nullable(Float64) COMMENT 'upper end' CODEC(ZSTD(1)),
    depth Nullable(Float64) COMMENT 'share of variance: driver: thin books' CODEC(ZSTD(1)),
    depth_low Nullable(Float64) COMMENT 'lower end of its 80 % interval' CODEC(ZSTD(1)),
    depth_high Nullable(Float64) COMMENT 'upper end' CODEC(ZSTD(1)),
    uncertainty Nullable(Float64) COMMENT 'share of variance: driver: macro uncertainty' CODEC(ZSTD(1)),
    uncertainty_low Nullable(Float64) COMMENT 'lower end of its 80 % interval' CODEC(ZSTD(1)),
    uncertainty_high Nullable(Float64) COMMENT 'upper end' CODEC(ZSTD(1)),
    institutional Nullable(Float64) COMMENT 'share of variance: driver: institutional proxies' CODEC(ZSTD(1)),
    institutional_low Nullable(Float64) COMMENT 'lower end of its 80 % interval' CODEC(ZSTD(1)),
    institutional_high Nullable(Float64) COMMENT 'upper end' CODEC(ZSTD(1)),
    dominance Nullable(Float64) COMMENT 'share of variance: driver: derivatives dominance' CODEC(ZSTD(1)),
    dominance_low Nullable(Float64) COMMENT 'lower end of its 80 % interval' CODEC(ZSTD(1)),
    dominance_high Nullable(Float64) COMMENT 'upper end' CODEC(ZSTD(1)),
    unexplained Nullable(Float64) COMMENT 'share of variance: what nothing above explains' CODEC(ZSTD(1)),
    unexplained_low Nullable(Float64) COMMENT 'lower end of its 80 % interval' CODEC(ZSTD(1)),
    unexplained_high Nullable(Float64) COMMENT 'upper end' CODEC(ZSTD(1)),
    driver_hours UInt64 COMMENT 'hours behind the shares of drivers' CODEC(T64, ZSTD(1)),
    history_days Float64 COMMENT 'days of history' CODEC(ZSTD(1)),
    CONSTRAINT coverage_is_a_share CHECK coverage >= 0 AND coverage <= 1
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYYYYMM(at)
ORDER BY (scope, window_s, at, id)
SETTINGS non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'Realised variance and its attribution, by window; read v_volatility';

CREATE TABLE IF NOT EXISTS health
(
    id String COMMENT 'identity of the row' CODEC(ZSTD(1)),
    revision UInt64 COMMENT 'always 1: a signal is written once' CODEC(T64, ZSTD(1)),
    is_final Bool COMMENT 'always true',
    definition LowCardinality(String) COMMENT 'name and version of the definition',
    params_hash LowCardinality(String) COMMENT 'hash of the parameters in use',
    engine LowCardinality(String) COMMENT 'inprocess, faust or flink',
    scope LowCardinality(String) COMMENT 'asset, or ALL for the market',
    partition UInt16 COMMENT 'Kafka partition of the scope' CODEC(T64, ZSTD(1)),
    coverage Float64 COMMENT 'share of venues healthy, 0..1' CODEC(ZSTD(1)),
    watermark DateTime64(6, 'UTC') COMMENT 'second of event time that caused the row, UTC' CODEC(Delta, ZSTD(1)),
    at DateTime64(6, 'UTC') COMMENT 'second that the row speaks for, UTC' CODEC(Delta, ZSTD(1)),
    null_reasons Map(LowCardinality(String), String) COMMENT 'field to reason, for every number that cannot be known',
    v UInt16 COMMENT 'version of the message' CODEC(T64, ZSTD(1)),
    health Nullable(Float64) COMMENT '0 to 100, a multiple of 0.001. Null when too little is known' CODEC(ZSTD(1)),
    band LowCardinality(Nullable(String)) COMMENT 'band of the value',
    raw_stress Nullable(Float64) COMMENT 'power mean of the components'' stress, 0..1' CODEC(ZSTD(1)),
    contributions Map(LowCardinality(String), Float64) COMMENT 'points by component, multiples of 0.001',
    caps Map(LowCardinality(String), Float64) COMMENT 'points by cap that held the value down, multiples of 0.001',
    stress Map(LowCardinality(String), Float64) COMMENT 'percentile of each component, 0..1; what was missing is absent',
    weights Map(LowCardinality(String), Float64) COMMENT 'weights in use, summing to 1 over the components present',
    weight_coverage Float64 COMMENT 'share of the definition''s weight that the components present hold' CODEC(ZSTD(1)),
    missing Map(LowCardinality(String), String) COMMENT 'why a component is absent',
    history_days Float64 COMMENT 'days of history' CODEC(ZSTD(1)),
    CONSTRAINT coverage_is_a_share CHECK coverage >= 0 AND coverage <= 1
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYYYYMM(at)
ORDER BY (scope, at, id)
SETTINGS non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'Market health 0..100; read v_health';

CREATE TABLE IF NOT EXISTS alerts
(
    id String COMMENT 'identity of the row' CODEC(ZSTD(1)),
    revision UInt64 COMMENT 'always 1: a signal is written once' CODEC(T64, ZSTD(1)),
    is_final Bool COMMENT 'always true',
    definition LowCardinality(String) COMMENT 'name and version of the definition',
    params_hash LowCardinality(String) COMMENT 'hash of the parameters in use',
    engine LowCardinality(String) COMMENT 'inprocess, faust or flink',
    scope LowCardinality(String) COMMENT 'asset, or ALL for the market',
    partition UInt16 COMMENT 'Kafka partition of the scope' CODEC(T64, ZSTD(1)),
    coverage Float64 COMMENT 'share of venues healthy, 0..1' CODEC(ZSTD(1)),
    watermark DateTime64(6, 'UTC') COMMENT 'second of event time that caused the row, UTC' CODEC(Delta, ZSTD(1)),
    at DateTime64(6, 'UTC') COMMENT 'second that the row speaks for, UTC' CODEC(Delta, ZSTD(1)),
    null_reasons Map(LowCardinality(String), String) COMMENT 'field to reason, for every number that cannot be known',
    v UInt16 COMMENT 'version of the message' CODEC(T64, ZSTD(1)),
    kind LowCardinality(String) COMMENT 'what happened',
    severity LowCardinality(String) COMMENT 'how urgent it is',
    score Float64 COMMENT 'product of the margins by which the rule was passed, 0..1' CODEC(ZSTD(1)),
    side LowCardinality(Nullable(String)) COMMENT 'positions concerned. Null where sides do not apply',
    venue LowCardinality(Nullable(String)) COMMENT 'venue concerned. Null where it is the whole scope',
    cause LowCardinality(Nullable(String)) COMMENT 'why volatility is unexplained. Null for other kinds',
    group String COMMENT 'shared by the alerts of one story' CODEC(ZSTD(1)),
    evidence Array(String) COMMENT 'ids of the rows behind it' CODEC(ZSTD(1)),
    cooldown_until Nullable(DateTime64(6, 'UTC')) COMMENT 'when the kind may fire again for the scope, UTC. Null without a cooldown' CODEC(ZSTD(1)),
    facts Map(LowCardinality(String), Float64) COMMENT 'the figures of the text, by name',
    unknown Map(LowCardinality(String), String) COMMENT 'conditions of the rule whose input was missing, with the reason',
    text String COMMENT 'one plain sentence' CODEC(ZSTD(1)),
    CONSTRAINT coverage_is_a_share CHECK coverage >= 0 AND coverage <= 1
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYYYYMM(at)
ORDER BY (scope, at, id)
SETTINGS non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'Alerts, each fact once; read v_alerts';
