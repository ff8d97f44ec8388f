-- Slow liquidity conditions of every scope: expanding, neutral or tightening.
-- rows UInt32 = 20: how many scopes
SELECT scope, at, state, probability, index, inputs, missing
FROM v_conditions_now
ORDER BY scope != 'ALL', scope
LIMIT {rows:UInt32}
