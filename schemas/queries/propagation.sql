-- Where windows began and who followed: one line a follower, null lags inside the clock's doubt.
-- scope String = ALL: asset, or ALL for the market
-- rows UInt32 = 50: how many lines
SELECT onset, side, origin_venue, origin_asset,
    follower.venue AS venue, follower.asset AS asset, follower.lag_s AS lag_s,
    follower.clock_uncertainty_s AS clock_uncertainty_s
FROM v_cascades
ARRAY JOIN propagation AS follower
WHERE scope = {scope:String}
ORDER BY onset DESC, id, lag_s ASC NULLS LAST, venue, asset
LIMIT {rows:UInt32}
