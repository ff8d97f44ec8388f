-- Shares and probabilities lie between 0 and 1.
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
SELECT 'cascades' AS kind, id FROM v_cascades
WHERE onset >= {since:DateTime('UTC')} AND onset < {until:DateTime('UTC')} AND (share_long NOT BETWEEN 0 AND 1 OR confidence NOT BETWEEN 0 AND 1)
UNION ALL
SELECT 'imbalance' AS kind, id FROM v_imbalance
WHERE at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')} AND (long_share NOT BETWEEN 0 AND 1 OR lsi NOT BETWEEN -1 AND 1)
UNION ALL
SELECT 'dominance' AS kind, id FROM v_dominance
WHERE at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')} AND (share NOT BETWEEN 0 AND 1 OR lead_share NOT BETWEEN 0 AND 1)
UNION ALL
SELECT 'prints' AS kind, id FROM v_prints
WHERE period_start >= {since:DateTime('UTC')} AND period_start < {until:DateTime('UTC')}
    AND (percentile_365d NOT BETWEEN 0 AND 1 OR max_hour_share NOT BETWEEN 0 AND 1)
UNION ALL
SELECT 'health' AS kind, id FROM v_health
WHERE at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')} AND health NOT BETWEEN 0 AND 100
UNION ALL
SELECT 'alerts' AS kind, id FROM v_alerts
WHERE at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')} AND score NOT BETWEEN 0 AND 1
