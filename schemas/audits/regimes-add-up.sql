-- The probabilities of the four phases add up to one.
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
SELECT id, scope, at, p_accumulation + p_expansion + p_euphoria + p_liquidation AS total
FROM v_regimes
WHERE at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')} AND abs(total - 1) > 0.001
