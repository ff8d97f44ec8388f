-- Did the selling feed on itself: branching as a bracket, and impact over what the book predicted.
-- scope String = ALL: asset, or ALL for the market
-- rows UInt32 = 20: how many windows
SELECT onset, side, class, usd_observed, impact_bp, amplification,
    amplification_book_share, branching_low, branching_high,
    branching_structural, branching_label, branching_ks_p, null_reasons
FROM v_cascades
WHERE scope = {scope:String}
ORDER BY onset DESC
LIMIT {rows:UInt32}
