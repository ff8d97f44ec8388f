-- Published, estimated and upper dollars of a print stand in this order.
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
SELECT id, scope, kind, venue, period_start, usd_observed, usd_estimated, usd_upper
FROM v_prints
WHERE period_start >= {since:DateTime('UTC')} AND period_start < {until:DateTime('UTC')}
    AND (usd_estimated < usd_observed OR usd_upper < usd_estimated OR usd_upper < usd_observed)
