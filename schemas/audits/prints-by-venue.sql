-- Dollars by venue add up to a print's published dollars.
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
SELECT id, scope, kind, period_start, usd_observed, arraySum(mapValues(usd_by_venue)) AS by_venue
FROM v_prints
WHERE venue IS NULL AND period_start >= {since:DateTime('UTC')} AND period_start < {until:DateTime('UTC')}
    AND by_venue != usd_observed
