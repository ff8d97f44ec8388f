-- The newest reading of each scope, found in narrow columns first: only the chosen rows are then
-- read in full.

CREATE OR REPLACE VIEW v_regimes_now AS
SELECT * FROM regimes FINAL
WHERE (scope, at) IN (SELECT scope, max(at) FROM regimes GROUP BY scope)
ORDER BY at DESC
LIMIT 1 BY scope;

CREATE OR REPLACE VIEW v_imbalance_now AS
SELECT * FROM imbalance FINAL
WHERE (scope, window_s, ifNull(venue, ''), at) IN (SELECT scope, window_s, ifNull(venue, ''), max(at) FROM imbalance GROUP BY scope, window_s, venue)
ORDER BY at DESC
LIMIT 1 BY scope, window_s, venue;

CREATE OR REPLACE VIEW v_liquidity_now AS
SELECT * FROM liquidity FINAL
WHERE (scope, ifNull(venue, ''), at) IN (SELECT scope, ifNull(venue, ''), max(at) FROM liquidity GROUP BY scope, venue)
ORDER BY at DESC
LIMIT 1 BY scope, venue;

CREATE OR REPLACE VIEW v_conditions_now AS
SELECT * FROM conditions FINAL
WHERE (scope, at) IN (SELECT scope, max(at) FROM conditions GROUP BY scope)
ORDER BY at DESC
LIMIT 1 BY scope;

CREATE OR REPLACE VIEW v_zones_now AS
SELECT * FROM zones FINAL
WHERE (scope, at) IN (SELECT scope, max(at) FROM zones GROUP BY scope)
ORDER BY at DESC
LIMIT 1 BY scope;

CREATE OR REPLACE VIEW v_positioning_now AS
SELECT * FROM positioning FINAL
WHERE (scope, window_s, ifNull(venue, ''), at) IN (SELECT scope, window_s, ifNull(venue, ''), max(at) FROM positioning GROUP BY scope, window_s, venue)
ORDER BY at DESC
LIMIT 1 BY scope, window_s, venue;

CREATE OR REPLACE VIEW v_funding_now AS
SELECT * FROM funding FINAL
WHERE (scope, at) IN (SELECT scope, max(at) FROM funding GROUP BY scope)
ORDER BY at DESC
LIMIT 1 BY scope;

CREATE OR REPLACE VIEW v_dominance_now AS
SELECT * FROM dominance FINAL
WHERE (scope, window_s, at) IN (SELECT scope, window_s, max(at) FROM dominance GROUP BY scope, window_s)
ORDER BY at DESC
LIMIT 1 BY scope, window_s;

CREATE OR REPLACE VIEW v_volatility_now AS
SELECT * FROM volatility FINAL
WHERE (scope, window_s, at) IN (SELECT scope, window_s, max(at) FROM volatility GROUP BY scope, window_s)
ORDER BY at DESC
LIMIT 1 BY scope, window_s;

CREATE OR REPLACE VIEW v_health_now AS
SELECT * FROM health FINAL
WHERE (scope, at) IN (SELECT scope, max(at) FROM health GROUP BY scope)
ORDER BY at DESC
LIMIT 1 BY scope;
