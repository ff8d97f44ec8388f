-- How often an alert came before the detection of a qualified cascade of its scope, by kind of alert.
-- scope String = *: asset, ALL for the market, * for all
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
-- hours UInt32 = 6: within how many hours
WITH (SELECT toDateTime64(max(hour), 6, 'UTC') FROM rollup_hours) AS newest_hour
SELECT a.kind AS kind, count() AS alerts, countIf(a.followed) AS followed_by_a_cascade,
    countIf(a.undecided) AS not_decided_yet,
    followed_by_a_cascade / nullIf(alerts - not_decided_yet, 0) AS precision, quantileExactInclusive(0.5)(a.lead_s) AS median_lead_s
FROM
(
    SELECT one.kind AS kind,
        c.detected_at > toDateTime64(0, 6, 'UTC')
            AND c.detected_at <= one.at + toIntervalHour({hours:UInt32}) AS followed,
        NOT followed AND one.at + toIntervalHour({hours:UInt32}) > newest_hour AS undecided,
        if(followed, dateDiff('second', one.at, c.detected_at), NULL) AS lead_s
    FROM v_alerts AS one
    ASOF LEFT JOIN
    (
        SELECT scope, detected_at FROM v_cascades WHERE class = 'cascade'
    ) AS c ON one.scope = c.scope AND one.at < c.detected_at
    WHERE ({scope:String} = '*' OR one.scope = {scope:String})
        AND one.at >= {since:DateTime('UTC')} AND one.at < {until:DateTime('UTC')}
) AS a
GROUP BY kind
ORDER BY alerts DESC, kind
