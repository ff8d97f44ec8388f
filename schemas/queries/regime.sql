-- The leverage phase of every scope now, with its probabilities and drivers.
-- scope String = *: asset, ALL for the market, * for all
-- rows UInt32 = 50: how many scopes
SELECT scope, at, state, sub_state, crowd_side, p_accumulation, p_expansion, p_euphoria,
    p_liquidation, since, arrayZip(drivers.feature, drivers.value) AS drivers, history_days,
    null_reasons['state'] AS why_unknown
FROM v_regimes_now
WHERE ({scope:String} = '*' OR scope = {scope:String})
ORDER BY scope != 'ALL', scope
LIMIT {rows:UInt32}
