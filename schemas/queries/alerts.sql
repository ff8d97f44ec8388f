-- Alerts, newest first.
-- scope String = *: asset, ALL for the market, * for all
-- rows UInt32 = 50: how many alerts
SELECT at, scope, kind, severity, score, side, venue, cause, text, evidence
FROM v_alerts
WHERE {scope:String} IN ('*', scope)
ORDER BY at DESC, id
LIMIT {rows:UInt32}
