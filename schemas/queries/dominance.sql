-- Derivatives against spot: volumes, ratio and who leads, by window.
-- scope String = BTC: asset, or ALL for the market
SELECT at, window_s, derivatives_usd, spot_usd, share, ratio, lead_share, state, oi_spot_adv,
    trend_90d, basket_coverage, null_reasons AS why_null
FROM v_dominance_now
WHERE scope = {scope:String}
ORDER BY window_s
