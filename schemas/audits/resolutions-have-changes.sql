-- What a change of phase led to belongs to a change that is there, and is told after it.
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
SELECT r.id AS id, r.scope AS scope, r.at AS at, r.transition_id AS transition_id
FROM v_regime_resolutions AS r
LEFT JOIN (SELECT id, at FROM v_regime_transitions) AS t ON r.transition_id = t.id
WHERE r.at >= {since:DateTime('UTC')} AND r.at < {until:DateTime('UTC')} AND (t.id = '' OR t.at > r.at)
