-- Alerts, newest first.
-- rows UInt32 = 50: how many alerts
SELECT at, scope, kind, severity, score, side, venue, cause, text, evidence
FROM v_alerts
ORDER BY at DESC, id
LIMIT {rows:UInt32}
