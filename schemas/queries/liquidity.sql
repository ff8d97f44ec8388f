-- Depth, spread and price impact now, by venue.
-- scope String = BTC: asset
SELECT at, venue, state, z, spread_bp, bid_usd[1] AS bid_10bp, ask_usd[1] AS ask_10bp,
    bid_usd[4] AS bid_100bp, ask_usd[4] AS ask_100bp, depth_ratio[1] AS depth_10bp_ratio,
    sell_slip_100k_bp, sell_slip_1m_bp, kyle_lambda, amihud, refill_half_life_s,
    mapFilter((field, why) -> field IN ('state', 'z', 'spread_bp'), null_reasons) AS why_null
FROM v_liquidity_now
WHERE scope = {scope:String}
ORDER BY venue ASC NULLS FIRST
