-- Nothing revises a final row.
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
SELECT kind, id, final_revision, last_revision
FROM
(
    SELECT 'cascades' AS kind, id, minIf(revision, is_final) AS final_revision,
        max(revision) AS last_revision
    FROM cascades WHERE onset >= {since:DateTime('UTC')} AND onset < {until:DateTime('UTC')} GROUP BY id HAVING countIf(is_final) > 0
    UNION ALL
    SELECT 'prints' AS kind, id, minIf(revision, is_final) AS final_revision,
        max(revision) AS last_revision
    FROM prints WHERE period_start >= {since:DateTime('UTC')} AND period_start < {until:DateTime('UTC')} GROUP BY id HAVING countIf(is_final) > 0
)
WHERE last_revision > final_revision
