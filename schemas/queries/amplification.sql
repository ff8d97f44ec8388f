-- Did the selling feed on itself: the share of it that its own push called forth, as a bracket.
-- scope String = ALL: asset, or ALL for the market
-- rows UInt32 = 20: how many windows
SELECT onset, side, class, usd_observed, impact_bp, amplification,
    excess_low, excess_high, amplification_book, amplification_book_share,
    branching_low, branching_high, branching_structural, branching_label, branching_ks_p, null_reasons
FROM v_cascades
WHERE scope = {scope:String}
ORDER BY onset DESC, id
LIMIT {rows:UInt32}
