-- Cascade windows, newest first: side, class, dollars, impact.
-- scope String = ALL: asset, or ALL for the market
-- rows UInt32 = 20: how many windows
SELECT onset, side, class, phase, duration_s, events, usd_observed, usd_low, usd_estimated,
    usd_high, usd_upper, identifiability, impact_bp, severity, confidence
FROM v_cascades
WHERE scope = {scope:String}
ORDER BY onset DESC, id
LIMIT {rows:UInt32}
