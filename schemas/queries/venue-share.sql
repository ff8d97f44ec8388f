-- Which venue's published orders made up the forced flow; feeds differ in what they show.
-- asset String = *: coin, * for all
-- since Hour = 1970-01-01: from this time on, UTC
-- until Hour = 2106-01-01: before this time, UTC
SELECT venue, sum(h.orders) AS forced_orders, sum(h.total_usd) AS forced_usd,
    toFloat64(forced_usd) / nullIf(toFloat64(sum(forced_usd) OVER ()), 0) AS share,
    sumIf(h.total_usd, h.position_side = 'long') AS long_usd,
    sumIf(h.total_usd, h.position_side = 'short') AS short_usd
FROM v_liquidations_1h AS h
WHERE ({asset:String} = '*' OR asset = {asset:String}) AND kind != 'adl'
    AND hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')}
GROUP BY venue
ORDER BY forced_usd DESC, venue
