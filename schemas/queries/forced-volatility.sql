-- How much of an hour's variance came from forced flow: the highest reading of each hour, highest first.
-- scope String = *: asset, ALL for the market, * for all
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
-- rows UInt32 = 30: how many hours
SELECT scope, at, annualised, realised_z, forced, forced_low, forced_high, macro, unexplained
FROM v_volatility
WHERE window_s = 3600 AND (scope, toStartOfHour(at), forced) IN
(
    SELECT scope, toStartOfHour(at) AS hour, max(forced) AS highest
    FROM v_volatility
    WHERE window_s = 3600 AND ({scope:String} = '*' OR scope = {scope:String}) AND forced IS NOT NULL
        AND at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')}
    GROUP BY scope, hour
    ORDER BY highest DESC, scope, hour
    LIMIT {rows:UInt32}
)
    AND at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')}
ORDER BY forced DESC, scope, at
LIMIT 1 BY scope, toStartOfHour(at)
LIMIT {rows:UInt32}
