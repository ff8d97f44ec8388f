-- No reading speaks for a time later than the second that caused it.
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
SELECT 'regimes' AS kind, id, at, watermark FROM v_regimes
WHERE at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')} AND at > watermark
UNION ALL
SELECT 'imbalance' AS kind, id, at, watermark FROM v_imbalance
WHERE at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')} AND at > watermark
UNION ALL
SELECT 'liquidity' AS kind, id, at, watermark FROM v_liquidity
WHERE at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')} AND at > watermark
UNION ALL
SELECT 'conditions' AS kind, id, at, watermark FROM v_conditions
WHERE at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')} AND at > watermark
UNION ALL
SELECT 'zones' AS kind, id, at, watermark FROM v_zones
WHERE at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')} AND at > watermark
UNION ALL
SELECT 'positioning' AS kind, id, at, watermark FROM v_positioning
WHERE at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')} AND at > watermark
UNION ALL
SELECT 'funding' AS kind, id, at, watermark FROM v_funding
WHERE at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')} AND at > watermark
UNION ALL
SELECT 'dominance' AS kind, id, at, watermark FROM v_dominance
WHERE at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')} AND at > watermark
UNION ALL
SELECT 'volatility' AS kind, id, at, watermark FROM v_volatility
WHERE at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')} AND at > watermark
UNION ALL
SELECT 'health' AS kind, id, at, watermark FROM v_health
WHERE at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')} AND at > watermark
UNION ALL
SELECT 'alerts' AS kind, id, at, watermark FROM v_alerts
WHERE at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')} AND at > watermark
UNION ALL
SELECT 'regime_transitions' AS kind, id, at, watermark FROM v_regime_transitions
WHERE at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')} AND at > watermark
UNION ALL
SELECT 'regime_resolutions' AS kind, id, at, watermark FROM v_regime_resolutions
WHERE at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')} AND at > watermark
