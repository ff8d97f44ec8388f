-- Who is being closed: long/short imbalance of forced flow by window, newest reading of a scope.
-- scope String = ALL: asset, or ALL for the market
SELECT at, window_s, venue, long_usd, short_usd, long_share, neutral_share, lsi_adjusted, z, n_eff,
    dominant, label, null_reasons AS why_null
FROM v_imbalance_now
WHERE scope = {scope:String}
ORDER BY window_s, venue ASC NULLS FIRST
