-- Each window with what was known of its scope before it began, and since when. A reading counts when
-- its watermark, the second of event time that caused it, lies before the onset: never after.
-- Beside a field stands `_known_at`; both are null when nothing was known yet. Instants are compared as
-- whole microseconds: an ASOF join of DateTime64 takes half as long again.

CREATE OR REPLACE VIEW v_cascade_context AS
SELECT
    c.id AS id, c.scope AS scope, c.onset AS onset, c.side AS side, c.class AS class,
    c.usd_observed AS usd_observed, c.usd_estimated AS usd_estimated, c.impact_bp AS impact_bp,
    c.recovery_30m AS recovery_30m, c.oi_share AS oi_share, c.oi_change AS oi_change,
    c.depth_min_ratio AS depth_min_ratio, c.severity AS severity, c.confidence AS confidence,
    o.known_at AS interest_known_at, o.oi_usd AS oi_usd, o.oi_change AS oi_change_24h,
    o.quadrant AS quadrant,
    f.known_at AS funding_known_at, f.rate_8h AS funding_8h, f.annualised AS funding_annualised,
    f.dispersion_8h AS funding_dispersion_8h,
    d.known_at AS depth_known_at, d.state AS liquidity_state, d.z AS liquidity_z,
    d.spread_bp AS spread_bp, d.depth_ratio AS depth_ratio, d.bid_10bp AS bid_10bp_usd,
    d.ask_10bp AS ask_10bp_usd,
    r.known_at AS regime_known_at, r.state AS regime, r.sub_state AS regime_sub_state,
    r.crowd_side AS crowd_side, r.p_liquidation AS p_liquidation,
    h.known_at AS health_known_at, h.health AS health, h.band AS health_band,
    i.known_at AS imbalance_known_at, i.long_share AS long_share_1h, i.z AS imbalance_z_1h,
    i.dominant AS dominant_1h,
    v.known_at AS volatility_known_at, v.annualised AS volatility_1h, v.realised_z AS realised_z_1h,
    m.known_at AS dominance_known_at, m.state AS dominance_state, m.ratio AS dominance_ratio,
    m.share AS dominance_share
FROM cascades AS c FINAL
ASOF LEFT JOIN
(
    SELECT
        scope, toUnixTimestamp64Micro(watermark) AS known_us,
        toNullable(watermark) AS known_at, oi_usd, oi_change, quadrant
    FROM positioning FINAL WHERE window_s = 86400 AND venue IS NULL
) AS o ON c.scope = o.scope AND toUnixTimestamp64Micro(c.onset) > o.known_us
ASOF LEFT JOIN
(
    SELECT
        scope, toUnixTimestamp64Micro(watermark) AS known_us,
        toNullable(watermark) AS known_at, rate_8h, annualised, dispersion_8h
    FROM funding FINAL
) AS f ON c.scope = f.scope AND toUnixTimestamp64Micro(c.onset) > f.known_us
ASOF LEFT JOIN
(
    SELECT
        scope, toUnixTimestamp64Micro(watermark) AS known_us,
        toNullable(watermark) AS known_at, state, z, spread_bp,
        if(empty(liquidity.depth_ratio), NULL, liquidity.depth_ratio[1]) AS depth_ratio,
        if(empty(bid_usd), NULL, bid_usd[1]) AS bid_10bp,
        if(empty(ask_usd), NULL, ask_usd[1]) AS ask_10bp
    FROM liquidity FINAL WHERE venue IS NULL
) AS d ON c.scope = d.scope AND toUnixTimestamp64Micro(c.onset) > d.known_us
ASOF LEFT JOIN
(
    SELECT
        scope, toUnixTimestamp64Micro(watermark) AS known_us,
        toNullable(watermark) AS known_at, state, sub_state, crowd_side,
        p_liquidation
    FROM regimes FINAL
) AS r ON c.scope = r.scope AND toUnixTimestamp64Micro(c.onset) > r.known_us
ASOF LEFT JOIN
(
    SELECT
        scope, toUnixTimestamp64Micro(watermark) AS known_us,
        toNullable(watermark) AS known_at, health.health AS health, band
    FROM health FINAL
) AS h ON c.scope = h.scope AND toUnixTimestamp64Micro(c.onset) > h.known_us
ASOF LEFT JOIN
(
    SELECT
        scope, toUnixTimestamp64Micro(watermark) AS known_us,
        toNullable(watermark) AS known_at, long_share, z, dominant
    FROM imbalance FINAL WHERE window_s = 3600 AND venue IS NULL
) AS i ON c.scope = i.scope AND toUnixTimestamp64Micro(c.onset) > i.known_us
ASOF LEFT JOIN
(
    SELECT
        scope, toUnixTimestamp64Micro(watermark) AS known_us,
        toNullable(watermark) AS known_at, annualised, realised_z
    FROM volatility FINAL WHERE window_s = 3600
) AS v ON c.scope = v.scope AND toUnixTimestamp64Micro(c.onset) > v.known_us
ASOF LEFT JOIN
(
    SELECT
        scope, toUnixTimestamp64Micro(watermark) AS known_us,
        toNullable(watermark) AS known_at, state, ratio, share
    FROM dominance FINAL WHERE window_s = 86400
) AS m ON c.scope = m.scope AND toUnixTimestamp64Micro(c.onset) > m.known_us;

-- The same, one kind of reading each: a question that needs one need not join all.
CREATE OR REPLACE VIEW v_cascade_interest AS
SELECT
    c.id AS id, c.scope AS scope, c.onset AS onset, c.side AS side, c.class AS class,
    c.usd_observed AS usd_observed, c.usd_estimated AS usd_estimated, c.impact_bp AS impact_bp,
    c.recovery_30m AS recovery_30m, c.oi_share AS oi_share, c.oi_change AS oi_change,
    c.depth_min_ratio AS depth_min_ratio, c.severity AS severity, c.confidence AS confidence,
    o.known_at AS interest_known_at, o.oi_usd AS oi_usd, o.oi_change AS oi_change_24h, o.quadrant AS
    quadrant
FROM cascades AS c FINAL
ASOF LEFT JOIN
(
    SELECT
        scope, toUnixTimestamp64Micro(watermark) AS known_us,
        toNullable(watermark) AS known_at, oi_usd, oi_change, quadrant
    FROM positioning FINAL WHERE window_s = 86400 AND venue IS NULL
) AS o ON c.scope = o.scope AND toUnixTimestamp64Micro(c.onset) > o.known_us;

CREATE OR REPLACE VIEW v_cascade_funding AS
SELECT
    c.id AS id, c.scope AS scope, c.onset AS onset, c.side AS side, c.class AS class,
    c.usd_observed AS usd_observed, c.usd_estimated AS usd_estimated, c.impact_bp AS impact_bp,
    c.recovery_30m AS recovery_30m, c.oi_share AS oi_share, c.oi_change AS oi_change,
    c.depth_min_ratio AS depth_min_ratio, c.severity AS severity, c.confidence AS confidence,
    f.known_at AS funding_known_at, f.rate_8h AS funding_8h, f.annualised AS funding_annualised,
    f.dispersion_8h AS funding_dispersion_8h
FROM cascades AS c FINAL
ASOF LEFT JOIN
(
    SELECT
        scope, toUnixTimestamp64Micro(watermark) AS known_us,
        toNullable(watermark) AS known_at, rate_8h, annualised, dispersion_8h
    FROM funding FINAL
) AS f ON c.scope = f.scope AND toUnixTimestamp64Micro(c.onset) > f.known_us;

CREATE OR REPLACE VIEW v_cascade_depth AS
SELECT
    c.id AS id, c.scope AS scope, c.onset AS onset, c.side AS side, c.class AS class,
    c.usd_observed AS usd_observed, c.usd_estimated AS usd_estimated, c.impact_bp AS impact_bp,
    c.recovery_30m AS recovery_30m, c.oi_share AS oi_share, c.oi_change AS oi_change,
    c.depth_min_ratio AS depth_min_ratio, c.severity AS severity, c.confidence AS confidence,
    d.known_at AS depth_known_at, d.state AS liquidity_state, d.z AS liquidity_z, d.spread_bp AS
    spread_bp, d.depth_ratio AS depth_ratio, d.bid_10bp AS bid_10bp_usd, d.ask_10bp AS ask_10bp_usd
FROM cascades AS c FINAL
ASOF LEFT JOIN
(
    SELECT
        scope, toUnixTimestamp64Micro(watermark) AS known_us,
        toNullable(watermark) AS known_at, state, z, spread_bp,
        if(empty(liquidity.depth_ratio), NULL, liquidity.depth_ratio[1]) AS depth_ratio,
        if(empty(bid_usd), NULL, bid_usd[1]) AS bid_10bp,
        if(empty(ask_usd), NULL, ask_usd[1]) AS ask_10bp
    FROM liquidity FINAL WHERE venue IS NULL
) AS d ON c.scope = d.scope AND toUnixTimestamp64Micro(c.onset) > d.known_us;

CREATE OR REPLACE VIEW v_cascade_regime AS
SELECT
    c.id AS id, c.scope AS scope, c.onset AS onset, c.side AS side, c.class AS class,
    c.usd_observed AS usd_observed, c.usd_estimated AS usd_estimated, c.impact_bp AS impact_bp,
    c.recovery_30m AS recovery_30m, c.oi_share AS oi_share, c.oi_change AS oi_change,
    c.depth_min_ratio AS depth_min_ratio, c.severity AS severity, c.confidence AS confidence,
    r.known_at AS regime_known_at, r.state AS regime, r.sub_state AS regime_sub_state, r.crowd_side
    AS crowd_side, r.p_liquidation AS p_liquidation
FROM cascades AS c FINAL
ASOF LEFT JOIN
(
    SELECT
        scope, toUnixTimestamp64Micro(watermark) AS known_us,
        toNullable(watermark) AS known_at, state, sub_state, crowd_side,
        p_liquidation
    FROM regimes FINAL
) AS r ON c.scope = r.scope AND toUnixTimestamp64Micro(c.onset) > r.known_us;

CREATE OR REPLACE VIEW v_cascade_imbalance AS
SELECT
    c.id AS id, c.scope AS scope, c.onset AS onset, c.side AS side, c.class AS class,
    c.usd_observed AS usd_observed, c.usd_estimated AS usd_estimated, c.impact_bp AS impact_bp,
    c.recovery_30m AS recovery_30m, c.oi_share AS oi_share, c.oi_change AS oi_change,
    c.depth_min_ratio AS depth_min_ratio, c.severity AS severity, c.confidence AS confidence,
    i.known_at AS imbalance_known_at, i.long_share AS long_share_1h, i.z AS imbalance_z_1h,
    i.dominant AS dominant_1h
FROM cascades AS c FINAL
ASOF LEFT JOIN
(
    SELECT
        scope, toUnixTimestamp64Micro(watermark) AS known_us,
        toNullable(watermark) AS known_at, long_share, z, dominant
    FROM imbalance FINAL WHERE window_s = 3600 AND venue IS NULL
) AS i ON c.scope = i.scope AND toUnixTimestamp64Micro(c.onset) > i.known_us;

CREATE OR REPLACE VIEW v_cascade_dominance AS
SELECT
    c.id AS id, c.scope AS scope, c.onset AS onset, c.side AS side, c.class AS class,
    c.usd_observed AS usd_observed, c.usd_estimated AS usd_estimated, c.impact_bp AS impact_bp,
    c.recovery_30m AS recovery_30m, c.oi_share AS oi_share, c.oi_change AS oi_change,
    c.depth_min_ratio AS depth_min_ratio, c.severity AS severity, c.confidence AS confidence,
    m.known_at AS dominance_known_at, m.state AS dominance_state, m.ratio AS dominance_ratio,
    m.share AS dominance_share
FROM cascades AS c FINAL
ASOF LEFT JOIN
(
    SELECT
        scope, toUnixTimestamp64Micro(watermark) AS known_us,
        toNullable(watermark) AS known_at, state, ratio, share
    FROM dominance FINAL WHERE window_s = 86400
) AS m ON c.scope = m.scope AND toUnixTimestamp64Micro(c.onset) > m.known_us;
