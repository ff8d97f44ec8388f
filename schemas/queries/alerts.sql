-- Alerts, newest first.
-- scope String = *: asset, ALL for the market, * for all
-- rows UInt32 = 50: how many alerts
SELECT at, scope, kind, severity, score, side, venue, cause, text, evidence
FROM v_alerts
WHERE ({scope:String} = '*' OR scope = {scope:String})
ORDER BY at DESC, id
LIMIT {rows:UInt32}
