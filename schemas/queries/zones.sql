-- The liquidation map of an asset now: one line a zone; one without while it has shown no skill.
-- scope String = BTC: asset
SELECT at, price, hidden, skill, n_scored,
    if(empty(zones.side), NULL, zone.1) AS price_low,
    if(empty(zones.side), NULL, zone.2) AS price_high,
    if(empty(zones.side), NULL, zone.3) AS side,
    if(empty(zones.side), NULL, zone.4) AS usd_estimated,
    if(empty(zones.side), NULL, zone.5) AS distance_bp,
    null_reasons['zones'] AS why_hidden
FROM v_zones_now
LEFT ARRAY JOIN arrayZip(zones.price_low, zones.price_high, zones.side, zones.usd_estimated,
    zones.distance_bp) AS zone
WHERE scope = {scope:String}
ORDER BY abs(zone.5), zone.1, zone.3
