-- Dollars by venue add up to a window's published dollars.
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
SELECT id, scope, onset, usd_observed, arraySum(mapValues(usd_by_venue)) AS by_venue
FROM v_cascades
WHERE onset >= {since:DateTime('UTC')} AND onset < {until:DateTime('UTC')} AND by_venue != usd_observed
