-- What came too late for its second, by venue: orders, dollars, delay.
-- asset String = *: coin, * for all
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
SELECT venue, count() AS late_orders, sum(usd) AS late_usd,
    quantileExactInclusive(0.5)(dateDiff('millisecond', event_time_us, received_at_us)) AS median_delay_ms,
    max(dateDiff('millisecond', event_time_us, received_at_us)) AS worst_delay_ms
FROM v_late_events
WHERE ({asset:String} = '*' OR asset = {asset:String})
    AND event_time_us >= {since:DateTime('UTC')} AND event_time_us < {until:DateTime('UTC')}
GROUP BY venue
ORDER BY late_usd DESC, venue
