-- An order that came late is among the orders, and no copy of it also came in time.
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
SELECT l.id AS id, l.venue AS venue, l.event_time_us AS event_time_us, o.id = '' AS missing,
    o.is_late AS is_late
FROM v_late_events AS l
LEFT JOIN (SELECT id, is_late FROM v_liquidations) AS o ON l.id = o.id
WHERE l.event_time_us >= {since:DateTime('UTC')} AND l.event_time_us < {until:DateTime('UTC')} AND (o.id = '' OR NOT o.is_late)
