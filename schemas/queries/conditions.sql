-- Slow liquidity conditions of every scope: expanding, neutral or tightening.
-- scope String = *: asset, ALL for the market, * for all
-- rows UInt32 = 20: how many scopes
SELECT scope, at, state, probability, index, inputs, missing
FROM v_conditions_now
WHERE ({scope:String} = '*' OR scope = {scope:String})
ORDER BY scope != 'ALL', scope
LIMIT {rows:UInt32}
