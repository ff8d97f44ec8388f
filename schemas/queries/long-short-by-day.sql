-- Closed longs and shorts by UTC day, as published.
-- asset String = *: coin, * for all
-- since Hour = 1970-01-01: from this time on, UTC
-- until Hour = 2106-01-01: before this time, UTC
-- rows UInt32 = 90: how many days
SELECT toDate(hour) AS day, sum(h.orders) AS forced_orders, sum(h.total_usd) AS forced_usd,
    sumIf(h.total_usd, h.position_side = 'long') AS long_usd,
    sumIf(h.total_usd, h.position_side = 'short') AS short_usd,
    toFloat64(long_usd) / nullIf(toFloat64(forced_usd), 0) AS long_share
FROM v_liquidations_1h AS h
WHERE ({asset:String} = '*' OR asset = {asset:String}) AND kind != 'adl'
    AND hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')}
GROUP BY day
ORDER BY day DESC
LIMIT {rows:UInt32}
