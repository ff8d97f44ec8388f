// Price with the windows shaded, liquidated dollars by side, and the windows as they grow.
import * as f from "/static/format.js";
import { bars, draw } from "/static/charts.js";
import { fill, plotHost } from "/static/layout.js";

const SEVERITY = { minor: "ok", moderate: "warn", major: "bad", extreme: "bad" };
let windows = [];
let scope = "ALL";
let end = 0;
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const dollars = (value) => `$${compact.format(Math.abs(value))}`;

const shaded = () => windows.filter((w) => w.scope === scope)
  .map((w) => [w.onset / 1e6, (w.end ?? end) / 1e6]);

export function ends(clock) {
  scope = clock.span.scope;
  end = Math.min(clock.span.end, clock.reach?.newest ?? clock.span.end);
}

export function forced({ prices, sides, venues, step_s: step }) {
  const priced = plotHost("forced", "price-path", prices.length > 1);
  if (priced) {
    draw("price-path", priced, {
      label: `Price of ${scope} in USD with windows shaded, ${f.count(prices.length, "bucket")}`, height: 220, unit: (v) => v.toLocaleString("en"),
      lines: [
        { label: "price", colour: "--p1", width: 1.8 },
        { label: "high", colour: "--soft", width: 0.6 },
        { label: "low", colour: "--soft", width: 0.6 },
      ],
      data: [prices.map((p) => p.start / 1e6), prices.map((p) => p.price), prices.map((p) => p.high), prices.map((p) => p.low)],
      stretches: shaded,
    });
  }
  fill("forced", "price-note", prices.length > 1
    ? f.node("p", { class: "note" }, `Median of the contracts' last prices every ${f.length(step)}, with highest and lowest trade; windows of ${scope} shaded.`)
    : f.empty(scope === "ALL" ? "The market as a whole has no traded price: choose an asset." : "No trades of perpetuals or futures in this range."));
  const host = plotHost("forced", "side-bars", sides.length > 0);
  if (host) {
    draw("side-bars", host, {
      label: `Published liquidated dollars by side, ${f.count(sides.length, "bucket")}: longs above the line, shorts below`, unit: dollars,
      lines: [
        { label: "longs closed", colour: "--long", fill: true, paths: bars(), width: 0 },
        { label: "shorts closed", colour: "--short", fill: true, paths: bars(), width: 0 },
      ],
      data: [sides.map((s) => s.start / 1e6), sides.map((s) => Number(s.long_usd)), sides.map((s) => -Number(s.short_usd))],
      stretches: shaded,
    });
  }
  fill("forced", "venues", f.node("h3", {}, "Published by venue"),
    venues.length === 0 ? f.empty("No forced order in this range.")
      : f.table("Published dollars by venue", ["venue", "feed", "#longs", "#shorts", "#orders", "#largest", "#late"], venues.map((v) => [
        v.venue, v.feed_class === "full" ? "full" : f.tag(v.feed_class, "warn"), f.usd(v.long_usd), f.usd(v.short_usd), f.number(v.orders, 0), f.usd(v.largest_usd), f.usd(v.late_usd),
      ])));
}

export function cascades({ windows: found }) {
  windows = found;
  const open = found.filter((w) => w.end === null && !w.is_final);
  fill("cascades", "table",
    found.length === 0 ? f.empty("No cascade in this range.")
      : f.node("p", { class: "note" }, `${f.count(found.length, "window")}, ${open.length} open. A burst is a window that has not qualified as a cascade.`),
    found.length === 0 ? null : f.table("Windows of forced selling and buying",
      ["onset", "scope", "side", "class", "phase", "#orders", "#observed", "#estimated", "80 % interval", "#upper bound", "#impact bp", "severity", "#confidence", "#coverage"],
      found.map((w) => [
        f.stamp(w.onset), w.scope, f.side(w.side), w.class === "cascade" ? f.tag("cascade", "bad") : w.class,
        w.end === null && !w.is_final ? f.tag(w.phase, "warn") : w.phase, f.number(w.events, 0), f.usd(w.usd_observed), f.usd(w.usd_estimated, w.identifiability),
        w.usd_low === null && w.usd_high === null ? f.unknown() : f.node("span", {}, f.usd(w.usd_low), " – ", f.usd(w.usd_high)),
        f.usd(w.usd_upper), f.number(w.impact_bp, 1), w.severity ? f.tag(w.severity, SEVERITY[w.severity]) : f.unknown(), f.share(w.confidence), f.share(w.coverage),
      ]), true));
}
