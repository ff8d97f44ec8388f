-- No order happened more than a minute after it was received.
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
SELECT id, venue, event_time_us, received_at_us
FROM v_liquidations
WHERE event_time_us >= {since:DateTime('UTC')} AND event_time_us < {until:DateTime('UTC')} AND event_time_us > received_at_us + INTERVAL 60 SECOND
