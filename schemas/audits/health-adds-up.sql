-- Health is 100 less the points of its components and caps.
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
SELECT id, scope, at, health,
    100 - arraySum(mapValues(contributions)) - arraySum(mapValues(caps)) AS reckoned
FROM v_health
WHERE at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')} AND abs(v_health.health - reckoned) > 0.0005
