-- Two rows of one id and revision are the same row: what is replayed comes out as before.
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
SELECT 'cascades' AS kind, id, revision, uniqExact(usd_observed, events, phase, watermark) AS versions
FROM cascades WHERE onset >= {since:DateTime('UTC')} AND onset < {until:DateTime('UTC')} GROUP BY id, revision HAVING versions > 1
UNION ALL
SELECT 'prints' AS kind, id, revision, uniqExact(usd_observed, events, as_of) AS versions
FROM prints WHERE period_start >= {since:DateTime('UTC')} AND period_start < {until:DateTime('UTC')} GROUP BY id, revision HAVING versions > 1
UNION ALL
SELECT 'liquidations' AS kind, id, revision, uniqExact(usd, position_side, price) AS versions
FROM liquidations WHERE event_time_us >= {since:DateTime('UTC')} AND event_time_us < {until:DateTime('UTC')} GROUP BY id, revision HAVING versions > 1
