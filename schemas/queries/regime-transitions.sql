-- Changes of phase, newest first, with the cascade behind them and what they led to 72 h later.
-- scope String = ALL: asset, or ALL for the market
-- rows UInt32 = 50: how many changes
SELECT t.at AS at, t.from_state AS from_state, t.to_state AS to_state,
    t.probability AS probability, t.crowd_side AS crowd_side,
    arrayZip(t.drivers.feature, t.drivers.value) AS drivers,
    t.trigger_cascade_id AS trigger_cascade_id, r.resolved AS resolved
FROM v_regime_transitions AS t
LEFT JOIN v_regime_resolutions AS r ON r.transition_id = t.id
WHERE t.scope = {scope:String}
ORDER BY at DESC, t.id
LIMIT {rows:UInt32}
