-- What drives volatility: realised variance, jumps, and shares with their intervals.
-- scope String = BTC: asset, or ALL for the market
SELECT at, window_s, annualised, jump_z, realised_z, forced, forced_low, forced_high, macro,
    persistence, leverage, depth, uncertainty, institutional, dominance, unexplained,
    mapFilter((field, why) -> NOT match(field, '_(low|high)$'), null_reasons) AS why_null
FROM v_volatility_now
WHERE scope = {scope:String}
ORDER BY window_s
