-- The window that an aftershock follows is there and began earlier.
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
SELECT a.id AS id, a.scope AS scope, a.onset AS onset, a.parent_id AS parent_id, m.onset AS parent_onset
FROM v_cascades AS a
LEFT JOIN (SELECT id, onset FROM v_cascades) AS m ON a.parent_id = m.id
WHERE a.parent_id IS NOT NULL AND a.onset >= {since:DateTime('UTC')} AND a.onset < {until:DateTime('UTC')}
    AND (m.id = '' OR m.onset >= a.onset)
