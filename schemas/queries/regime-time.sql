-- Hours spent in each leverage phase; a reading stands until the next, the one before the range too.
-- scope String = *: asset, ALL for the market, * for all
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
WITH
    toDateTime64({since:DateTime('UTC')}, 6, 'UTC') AS first_moment,
    toDateTime64({until:DateTime('UTC')}, 6, 'UTC') AS last_moment
SELECT scope, ifNull(toString(state), 'unknown') AS phase,
    sum(dateDiff('second', greatest(at, first_moment), least(stood_to, last_moment))) / 3600 AS hours,
    hours / nullIf(sum(hours) OVER (PARTITION BY scope), 0) AS share
FROM
(
    SELECT scope, state, at, leadInFrame(at, 1, at) OVER (
        PARTITION BY scope ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS stood_to
    FROM v_regimes
    WHERE ({scope:String} = '*' OR scope = {scope:String})
)
WHERE at < last_moment AND stood_to >= first_moment
GROUP BY scope, phase
ORDER BY scope, hours DESC, phase
