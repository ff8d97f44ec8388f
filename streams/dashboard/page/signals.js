// Imbalance, liquidity, the liquidation map with its skill, and derivatives dominance.
import * as f from "/static/format.js";
import { draw, steps } from "/static/charts.js";
import { fill, plotHost } from "/static/layout.js";

const LIQUIDITY = { abundant: "ok", normal: "ok", tight: "warn", vacuum: "bad" };
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const unnull = (reading, field, shown) => (reading[field] === null ? f.node("span", { class: "empty" }, f.words(reading.null_reasons[field] ?? "not known")) : shown);

export function imbalance({ windows, path }) {
  if (windows.length === 0) {
    fill("imbalance", "table", f.empty("No imbalance reading in the day before this range's end."));
  } else {
    fill("imbalance", "table",
      f.table("Long and short closed by window", ["window", "#longs observed", "#longs estimated", "#shorts observed", "#shorts estimated", "#long share", "#ordinary", "#z", "dominant"], windows.map((w) => [
        f.length(w.window_s), f.usd(w.long_observed), f.usd(w.long_usd, w.identifiability), f.usd(w.short_observed), f.usd(w.short_usd, w.identifiability),
        f.share(w.long_share), f.share(w.neutral_share), f.number(w.z, 1),
        w.dominant === null ? f.words(w.null_reasons.dominant ?? "neither") : f.node("span", {}, f.side(w.dominant), w.label ? ` ${f.words(w.label)}` : ""),
      ])),
      f.reasons(windows.at(-1).null_reasons, ["long_share", "long_usd", "short_usd", "z", "label"]), f.source(windows[0]));
  }
  const host = plotHost("imbalance", "flow-path", path.length > 1);
  if (host) {
    const below = (value) => (value === null ? null : -Number(value));
    const above = (value) => (value === null ? null : Number(value));
    const line = (label, colour, dash) => ({ label, colour, dash, paths: steps(), points: path.length < 40 });
    draw("flow-path", host, {
      label: "Dollars closed in five minutes: longs above the line, shorts below; published and estimated", height: 170, unit: (v) => `$${compact.format(Math.abs(v))}`,
      lines: [line("longs published", "--long"), line("longs estimated", "--long", [5, 4]), line("shorts published", "--short"), line("shorts estimated", "--short", [5, 4])],
      data: [path.map((p) => p.read_at / 1e6), path.map((p) => above(p.long_observed)), path.map((p) => above(p.long_usd)), path.map((p) => below(p.short_observed)), path.map((p) => below(p.short_usd))],
    });
  }
}

export function liquidity({ venues }) {
  if (venues.length === 0) {
    fill("liquidity", "table", f.empty("No liquidity reading in the day before this range's end."));
    return;
  }
  fill("liquidity", "table",
    f.table("Books by venue", ["venue", "state", "#z", "#spread bp", "#bid 10 bp", "#ask 10 bp", "#depth ratio", "#sell $1M bp", "as of"], venues.map((v) => [
      v.venue ?? "all", unnull(v, "state", f.tag(v.state ?? "", LIQUIDITY[v.state])), f.number(v.z), f.number(v.spread_bp), f.usd(v.bid_usd[0]), f.usd(v.ask_usd[0]),
      f.number(v.depth_ratio[0]), f.node("span", {}, f.number(v.sell_slip_1m_bp, 1), v.frozen ? " frozen book" : ""),
      f.node("span", { class: f.old(v.at) ? "degraded" : null }, f.stamp(v.at, f.old(v.at))),
    ])),
    f.reasons(venues[0].null_reasons), f.source(venues[0]));
}

export function zones({ now }) {
  if (now === null) {
    fill("zones", "now", f.empty("No map in the day before this range's end. The market as a whole has none: choose an asset."));
    return;
  }
  const skill = f.figures([
    ["skill per dollar", unnull(now, "skill", f.number(now.skill, 3))],
    ["against distance only", f.number(now.skill_uniform, 3)],
    ["AUC", f.number(now.auc, 3)],
    ["liquidations scored", f.number(now.n_scored, 0)],
    ["price", f.price(now.price)],
  ]);
  if (now.hidden) {
    fill("zones", "now", f.node("p", { class: "degraded" }, `Map not shown: ${f.words(now.null_reasons.zones ?? "it has shown no skill")}.`), skill, f.source(now));
    return;
  }
  const zones = [...now.zones].sort((a, b) => b[0] - a[0]);
  const most = Math.max(...zones.map((z) => Number(z[3])), 1);
  fill("zones", "now", skill,
    f.figures([["fuel 1 % below", f.usd(now.fuel_below_usd[1])], ["fuel 1 % above", f.usd(now.fuel_above_usd[1])], ["armed", now.armed === null ? "not known" : now.armed ? "yes" : "no"],
      ["half of longs closed at", f.price(now.pain_long)], ["half of shorts closed at", f.price(now.pain_short)]]),
    zones.length === 0 ? f.empty("No zone stands out on this map.")
      : f.table("Zones by price", ["price", "side", "#estimated", "interval", "#distance bp", ""], zones.map(([low, high, side, usd, least, greatest, distance]) => [
        f.node("span", {}, f.price(low), " – ", f.price(high)), f.side(side), f.usd(usd), f.node("span", {}, f.usd(least), " – ", f.usd(greatest)), f.number(distance, 0),
        f.node("meter", { min: 0, max: most, value: usd, "aria-label": `${usd} USD of ${side}s` }),
      ])),
    f.source(now));
}

export function dominance({ windows }) {
  if (windows.length === 0) {
    fill("dominance", "table", f.empty("No dominance reading in the day before this range's end."));
    return;
  }
  const whole = windows.every((w) => w.basket_coverage === 1);
  fill("dominance", "table",
    f.table("Derivatives against spot", ["window", "#derivatives", "#spot", "#share", "#ratio", "#derivatives lead", "who leads"], windows.map((w) => [
      f.length(w.window_s), f.usd(w.derivatives_usd), f.usd(w.spot_usd), f.share(w.share), f.number(w.ratio), f.share(w.lead_share), unnull(w, "state", f.words(w.state)),
    ])),
    whole ? null : f.node("p", { class: "degraded" }, `Basket ${windows[0].basket}: ${(Math.min(...windows.map((w) => w.basket_coverage)) * 100).toFixed(0)} % of its venues heard.`),
    f.reasons(windows[0].null_reasons, ["share", "ratio", "spot_usd", "derivatives_usd", "lead_share"]), f.source(windows[0]));
}
