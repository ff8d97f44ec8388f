-- Funding as it was known before windows, most extreme first.
-- scope String = *: asset, ALL for the market, * for all
-- since DateTime = 1970-01-01: from this time on, UTC
-- until DateTime = 2106-01-01: before this time, UTC
-- rows UInt32 = 30: how many windows
SELECT scope, onset, side, class, funding_annualised, funding_8h, funding_dispersion_8h,
    funding_known_at, usd_observed, impact_bp, id
FROM v_cascade_funding
WHERE ({scope:String} = '*' OR scope = {scope:String}) AND funding_annualised IS NOT NULL
    AND onset >= {since:DateTime('UTC')} AND onset < {until:DateTime('UTC')}
ORDER BY abs(funding_annualised) DESC, id
LIMIT {rows:UInt32}
