-- When in the week forced orders fall: dollars by weekday and hour, UTC.
-- asset String = *: coin, * for all
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
SELECT toDayOfWeek(hour) AS weekday, toHour(hour) AS hour_of_day, sum(h.orders) AS forced_orders,
    sum(h.total_usd) AS forced_usd, uniqExact(toDate(hour)) AS days,
    toFloat64(forced_usd) / days AS mean_usd
FROM v_liquidations_1h AS h
WHERE {asset:String} IN ('*', asset) AND kind != 'adl'
    AND hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')}
GROUP BY weekday, hour_of_day
ORDER BY weekday, hour_of_day
