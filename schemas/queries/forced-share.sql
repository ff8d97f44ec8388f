-- How much of what was traded was forced, by coin and hour, highest first.
-- asset String = *: coin, * for all
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
-- rows UInt32 = 30: how many hours
SELECT l.asset AS asset, l.hour AS hour, l.forced_usd AS forced_usd, t.traded_usd AS traded_usd,
    toFloat64(l.forced_usd) / toFloat64(t.traded_usd) AS forced_share
FROM
(
    SELECT asset, hour, sum(h.total_usd) AS forced_usd FROM v_liquidations_1h AS h
    WHERE {asset:String} IN ('*', asset) AND kind != 'adl'
        AND hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')}
    GROUP BY asset, hour
) AS l
INNER JOIN
(
    SELECT asset, hour, sum(buy_usd) + sum(sell_usd) + sum(unknown_usd) AS traded_usd
    FROM v_candles_1h
    WHERE {asset:String} IN ('*', asset) AND contract != 'spot'
        AND hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')}
    GROUP BY asset, hour
) AS t ON l.asset = t.asset AND l.hour = t.hour
WHERE traded_usd > 0
ORDER BY forced_share DESC, asset, hour
LIMIT {rows:UInt32}
