-- Depth and spread as they were known before windows, thinnest first.
-- scope String = *: asset, ALL for the market, * for all
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
-- rows UInt32 = 30: how many windows
SELECT scope, onset, side, class, depth_ratio, liquidity_z, liquidity_state, spread_bp, bid_10bp_usd,
    ask_10bp_usd, depth_known_at, depth_min_ratio, impact_bp, id
FROM v_cascade_depth
WHERE ({scope:String} = '*' OR scope = {scope:String}) AND depth_ratio IS NOT NULL
    AND onset >= {since:DateTime('UTC')} AND onset < {until:DateTime('UTC')}
ORDER BY depth_ratio, id
LIMIT {rows:UInt32}
