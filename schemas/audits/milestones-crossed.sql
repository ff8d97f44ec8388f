-- The total of a crossing by published dollars has reached its threshold.
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
SELECT id, scope, crossed_at, threshold_usd, usd_observed
FROM v_milestones
WHERE crossed_at >= {since:DateTime('UTC')} AND crossed_at < {until:DateTime('UTC')}
    AND basis = 'observed' AND usd_observed < threshold_usd
