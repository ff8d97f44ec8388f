-- Positions closed by auto-deleveraging, by UTC day and venue.
-- asset String = *: coin, * for all
-- since Hour = 1970-01-01: from this time on, UTC
-- until Hour = 2106-01-01: before this time, UTC
-- rows UInt32 = 90: how many lines
SELECT toDate(hour) AS day, venue, asset, sum(h.orders) AS closed, sum(h.total_usd) AS closed_usd,
    sumIf(h.total_usd, h.position_side = 'long') AS long_usd,
    sumIf(h.total_usd, h.position_side = 'short') AS short_usd
FROM v_liquidations_1h AS h
WHERE ({asset:String} = '*' OR asset = {asset:String}) AND kind = 'adl'
    AND hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')}
GROUP BY day, venue, asset
ORDER BY day DESC, closed_usd DESC, venue, asset
LIMIT {rows:UInt32}
