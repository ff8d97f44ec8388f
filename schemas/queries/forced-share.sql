-- How much of what was traded was forced, by coin and hour over the venues whose trades are known, highest first.
-- asset String = *: coin, * for all
-- since Hour = 1970-01-01: from this time on, UTC
-- until Hour = 2106-01-01: before this time, UTC
-- rows UInt32 = 30: how many hours
SELECT asset, hour, sum(of_forced) AS forced_usd, sum(of_traded) AS traded_usd,
    toFloat64(forced_usd) / toFloat64(traded_usd) AS forced_share
FROM
(
    SELECT asset, hour, venue, sum(forced) AS of_forced, sum(traded) AS of_traded, sum(orders) AS of_orders
    FROM
    (
        SELECT asset, hour, venue, total_usd AS forced, toDecimal128(0, 6) AS traded, 1 AS orders
        FROM v_liquidations_1h
        WHERE ({asset:String} = '*' OR asset = {asset:String}) AND kind != 'adl'
            AND hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')}
        UNION ALL
        SELECT asset, hour, venue, toDecimal128(0, 6) AS forced, buy_usd + sell_usd + unknown_usd AS traded, 0 AS orders
        FROM v_candles_1h
        WHERE ({asset:String} = '*' OR asset = {asset:String}) AND contract != 'spot'
            AND hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')}
    )
    GROUP BY asset, hour, venue
    HAVING of_traded > 0
)
GROUP BY asset, hour
HAVING sum(of_orders) > 0
ORDER BY forced_share DESC, asset, hour
LIMIT {rows:UInt32}
