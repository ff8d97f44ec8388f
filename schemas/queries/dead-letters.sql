-- What was rejected and why, with the newest of each kind.
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
SELECT stage, reason, venue, count() AS records, max(received_at_us) AS last_at,
    argMax(detail, (received_at_us, id)) AS last_detail,
    argMax(source, (received_at_us, id)) AS last_source
FROM v_dead_letters
WHERE received_at_us >= {since:DateTime('UTC')} AND received_at_us < {until:DateTime('UTC')}
GROUP BY stage, reason, venue
ORDER BY records DESC, stage, reason, venue
