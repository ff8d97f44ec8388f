-- Hours spent in each leverage phase; a reading stands until the next.
-- scope String = *: asset, ALL for the market, * for all
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
SELECT scope, ifNull(toString(state), 'unknown') AS phase, sum(stood_s) / 3600 AS hours,
    hours / nullIf(sum(hours) OVER (PARTITION BY scope), 0) AS share
FROM
(
    SELECT scope, state,
        dateDiff('second', at, leadInFrame(at, 1, at) OVER (
            PARTITION BY scope ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        )) AS stood_s
    FROM v_regimes
    WHERE {scope:String} IN ('*', scope)
        AND at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')}
)
GROUP BY scope, phase
ORDER BY scope, hours DESC, phase
