-- Price of a coin by hour, with the longs and shorts whose forced orders came in time.
-- asset String = BTC: coin
-- since Hour = 1970-01-01: from this time on, UTC
-- until Hour = 2106-01-01: before this time, UTC
-- rows UInt32 = 48: how many hours
SELECT hour, open, high, low, close, forced_long_usd, forced_short_usd, forced_orders,
    complete / frames AS complete_share
FROM v_frames_1h
WHERE asset = {asset:String}
    AND hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')}
ORDER BY hour DESC
LIMIT {rows:UInt32}
