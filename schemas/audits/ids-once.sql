-- An id stands once in its view: no copy under another time, coin or partition.
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
SELECT 'liquidations' AS kind, id, count() AS copies FROM v_liquidations
WHERE event_time_us >= {since:DateTime('UTC')} AND event_time_us < {until:DateTime('UTC')} GROUP BY id HAVING copies > 1
UNION ALL
SELECT 'late_events' AS kind, id, count() AS copies FROM v_late_events
WHERE event_time_us >= {since:DateTime('UTC')} AND event_time_us < {until:DateTime('UTC')} GROUP BY id HAVING copies > 1
UNION ALL
SELECT 'cascades' AS kind, id, count() AS copies FROM v_cascades
WHERE onset >= {since:DateTime('UTC')} AND onset < {until:DateTime('UTC')} GROUP BY id HAVING copies > 1
UNION ALL
SELECT 'prints' AS kind, id, count() AS copies FROM v_prints
WHERE period_start >= {since:DateTime('UTC')} AND period_start < {until:DateTime('UTC')} GROUP BY id HAVING copies > 1
UNION ALL
SELECT 'milestones' AS kind, id, count() AS copies FROM v_milestones
WHERE crossed_at >= {since:DateTime('UTC')} AND crossed_at < {until:DateTime('UTC')} GROUP BY id HAVING copies > 1
UNION ALL
SELECT 'regimes' AS kind, id, count() AS copies FROM v_regimes
WHERE at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')} GROUP BY id HAVING copies > 1
UNION ALL
SELECT 'imbalance' AS kind, id, count() AS copies FROM v_imbalance
WHERE at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')} GROUP BY id HAVING copies > 1
UNION ALL
SELECT 'liquidity' AS kind, id, count() AS copies FROM v_liquidity
WHERE at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')} GROUP BY id HAVING copies > 1
UNION ALL
SELECT 'zones' AS kind, id, count() AS copies FROM v_zones
WHERE at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')} GROUP BY id HAVING copies > 1
UNION ALL
SELECT 'positioning' AS kind, id, count() AS copies FROM v_positioning
WHERE at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')} GROUP BY id HAVING copies > 1
UNION ALL
SELECT 'funding' AS kind, id, count() AS copies FROM v_funding
WHERE at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')} GROUP BY id HAVING copies > 1
UNION ALL
SELECT 'dominance' AS kind, id, count() AS copies FROM v_dominance
WHERE at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')} GROUP BY id HAVING copies > 1
UNION ALL
SELECT 'volatility' AS kind, id, count() AS copies FROM v_volatility
WHERE at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')} GROUP BY id HAVING copies > 1
UNION ALL
SELECT 'health' AS kind, id, count() AS copies FROM v_health
WHERE at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')} GROUP BY id HAVING copies > 1
UNION ALL
SELECT 'alerts' AS kind, id, count() AS copies FROM v_alerts
WHERE at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')} GROUP BY id HAVING copies > 1
UNION ALL
SELECT 'dead_letters' AS kind, id, count() AS copies FROM v_dead_letters
WHERE received_at_us >= {since:DateTime('UTC')} AND received_at_us < {until:DateTime('UTC')} GROUP BY id HAVING copies > 1
UNION ALL
SELECT 'feed_status' AS kind, id, count() AS copies FROM v_feed_status
WHERE at_us >= {since:DateTime('UTC')} AND at_us < {until:DateTime('UTC')} GROUP BY id HAVING copies > 1
UNION ALL
SELECT 'regime_transitions' AS kind, id, count() AS copies FROM v_regime_transitions
WHERE at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')} GROUP BY id HAVING copies > 1
UNION ALL
SELECT 'regime_resolutions' AS kind, id, count() AS copies FROM v_regime_resolutions
WHERE at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')} GROUP BY id HAVING copies > 1
UNION ALL
SELECT 'conditions' AS kind, id, count() AS copies FROM v_conditions
WHERE at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')} GROUP BY id HAVING copies > 1
