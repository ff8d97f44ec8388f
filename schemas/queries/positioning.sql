-- New longs, short covering, new shorts or long flush: price against open interest by window.
-- scope String = BTC: asset, or ALL for the market
SELECT at, window_s, venue, quadrant, price_change, oi_change, oi_change_usd, oi_usd,
    null_reasons AS why_null
FROM v_positioning_now
WHERE scope = {scope:String}
ORDER BY window_s, venue ASC NULLS FIRST
