-- Each change of phase leaves the phase that the change before it entered.
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
SELECT id, scope, at, from_state, to_state, before
FROM
(
    SELECT id, scope, at, from_state, to_state,
        lagInFrame(toNullable(toString(to_state))) OVER (
            PARTITION BY scope, definition, params_hash ORDER BY at
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        ) AS before
    FROM v_regime_transitions
    WHERE at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')}
)
WHERE before IS NOT NULL AND ifNull(toString(from_state), '') NOT IN ('', before)
