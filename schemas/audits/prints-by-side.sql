-- Longs and shorts add up to a print's dollars and orders.
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
SELECT id, scope, kind, venue, period_start, usd_observed, long_usd, short_usd, events, long_events,
    short_events
FROM v_prints
WHERE period_start >= {since:DateTime('UTC')} AND period_start < {until:DateTime('UTC')}
    AND (long_usd + short_usd != usd_observed OR long_events + short_events != events)
