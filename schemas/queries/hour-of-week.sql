-- When in the week forced orders fall: dollars by weekday and hour, UTC, with the mean over all days watched.
-- asset String = *: coin, * for all
-- since Hour = 1970-01-01: from this time on, UTC
-- until Hour = 2106-01-01: before this time, UTC
SELECT toDayOfWeek(hour) AS weekday, toHour(hour) AS hour_of_day, sum(h.orders) AS forced_orders,
    sum(h.total_usd) AS forced_usd, uniqExact(toDate(hour)) AS days,
    toFloat64(forced_usd) / days AS mean_usd
FROM
(
    SELECT hour, orders, total_usd FROM v_liquidations_1h
    WHERE ({asset:String} = '*' OR asset = {asset:String}) AND kind != 'adl'
        AND hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')}
    UNION ALL
    SELECT DISTINCT hour, toUInt64(0) AS orders, toDecimal128(0, 6) AS total_usd
    FROM rollup_hours
    WHERE rollup = 'frames_1h' AND ({asset:String} = '*' OR asset = {asset:String})
        AND hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')}
) AS h
GROUP BY weekday, hour_of_day
ORDER BY weekday, hour_of_day
