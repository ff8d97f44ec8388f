-- Funding by venue, each on its own cycle, with the mean and the dispersion of the scope.
-- scope String = BTC: asset, or ALL for the market
SELECT at, if(empty(venues.venue), NULL, one.1) AS venue,
    if(empty(venues.venue), NULL, one.2) AS rate, one.3 AS interval_s, one.4 AS venue_annualised,
    annualised, dispersion_8h, null_reasons AS why_null
FROM v_funding_now
LEFT ARRAY JOIN arrayZip(venues.venue, venues.rate, venues.interval_s, venues.annualised) AS one
WHERE scope = {scope:String}
ORDER BY venue_annualised DESC NULLS LAST, venue
