-- What price did after windows: 5, 15 and 60 minutes behind the end, against the price at the end.
-- scope String = *: asset, ALL for the market, * for all
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
-- rows UInt32 = 50: how many windows
-- class String = cascade: cascade, burst or * for both
WITH windows AS
(
    SELECT id, scope, if(scope = 'ALL', 'BTC', scope) AS asset, onset, side, class, impact_bp,
        price_onset, assumeNotNull(end) AS ended,
        toStartOfMinute(ended) AS last_minute
    FROM v_cascades
    WHERE ({scope:String} = '*' OR scope = {scope:String}) AND ({class:String} = '*' OR class = {class:String})
        AND onset >= {since:DateTime('UTC')} AND onset < {until:DateTime('UTC')} AND end IS NOT NULL
    ORDER BY onset DESC, id
    LIMIT {rows:UInt32}
),
moments AS
(
    SELECT id, asset, arrayJoin([0, 5, 15, 60]) AS minutes,
        last_minute + toIntervalMinute(minutes) AS minute
    FROM windows
),
prices AS
(
    SELECT
        m.id AS id, maxIf(p.close, m.minutes = 0) AS at_end, maxIf(p.close, m.minutes = 5) AS at_5,
        maxIf(p.close, m.minutes = 15) AS at_15, maxIf(p.close, m.minutes = 60) AS at_60
    FROM moments AS m
    INNER JOIN
    (
        SELECT asset, minute, close FROM v_frames_1m
        WHERE (asset, minute) IN (SELECT asset, minute FROM moments)
    ) AS p ON m.asset = p.asset AND m.minute = p.minute
    GROUP BY id
)
SELECT w.scope AS scope, w.onset AS onset, w.side AS side, w.class AS class, w.asset AS price_of,
    w.impact_bp AS impact_bp, p.at_end AS price_end,
    10000 * log(p.at_5 / p.at_end) AS after_5m_bp, 10000 * log(p.at_15 / p.at_end) AS after_15m_bp,
    10000 * log(p.at_60 / p.at_end) AS after_60m_bp, w.id AS id
FROM windows AS w
LEFT JOIN prices AS p ON w.id = p.id
ORDER BY onset DESC, id
