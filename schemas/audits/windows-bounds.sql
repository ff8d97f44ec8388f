-- Published, estimated and upper dollars of a window stand in this order, its interval around the estimate.
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
SELECT id, scope, onset, usd_observed, usd_low, usd_estimated, usd_high, usd_upper
FROM v_cascades
WHERE onset >= {since:DateTime('UTC')} AND onset < {until:DateTime('UTC')}
    AND (usd_estimated < usd_observed OR usd_low < usd_observed OR usd_low > usd_estimated
        OR usd_high < usd_estimated OR usd_upper < usd_high OR usd_upper < usd_estimated)
