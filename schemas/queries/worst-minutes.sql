-- The minutes with most forced dollars.
-- asset String = *: coin, * for all
-- since Minute = 1970-01-01: from this time on, UTC
-- until Minute = 2106-01-01: before this time, UTC
-- rows UInt32 = 20: how many minutes
WITH worst AS
(
    SELECT m.minute AS minute FROM v_liquidations_1m AS m
    WHERE ({asset:String} = '*' OR asset = {asset:String}) AND kind != 'adl'
        AND m.minute >= {since:DateTime('UTC')} AND m.minute < {until:DateTime('UTC')}
    GROUP BY minute
    ORDER BY sum(m.total_usd) DESC, minute
    LIMIT {rows:UInt32}
)
SELECT minute, sum(m.total_usd) AS forced_usd, sum(m.orders) AS forced_orders,
    uniqExact(asset) AS assets, uniqExact(venue) AS venues,
    sumIf(m.total_usd, m.position_side = 'long') AS long_usd,
    sumIf(m.total_usd, m.position_side = 'short') AS short_usd, max(m.max_usd) AS largest_usd
FROM v_liquidations_1m AS m
WHERE ({asset:String} = '*' OR asset = {asset:String}) AND kind != 'adl' AND m.minute IN (SELECT minute FROM worst)
GROUP BY minute
ORDER BY forced_usd DESC, minute
