// The 24 h print with its milestones, and the alerts.
import * as f from "/static/format.js";
import { draw, steps } from "/static/charts.js";
import { fill, plotHost } from "/static/layout.js";

const SEVERITY = { info: "ok", warning: "warn", critical: "bad" };
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 2 });

export function print({ now, path, milestones }) {
  if (now === null) {
    fill("print", "now", f.empty("No 24 h print in the day before this range's end."));
  } else {
    fill("print", "now",
      f.node("p", {}, f.node("span", { class: "figure", id: "print-observed" }, f.usd(now.usd_observed)), " published in 24 h"),
      f.figures([
        ["estimated", f.usd(now.usd_estimated, now.identifiability)],
        ["upper bound", f.usd(now.usd_upper)],
        ["longs", f.usd(now.long_usd)],
        ["shorts", f.usd(now.short_usd)],
        ["orders", f.number(now.events, 0)],
        ["largest", f.usd(now.largest_usd)],
        ["late", f.usd(now.usd_late)],
        ["densest hour", f.share(now.max_hour_share)],
        ["percentile of 365 d", f.share(now.percentile_365d)],
        ["of open interest", f.share(now.oi_share, 2)],
      ]),
      now.identifiability === "ok" ? null : f.node("p", { class: "degraded" }, `Estimate: ${f.words(now.identifiability)}.`),
      f.reasons(now.null_reasons), f.source(now));
  }
  const host = plotHost("print", "print-path", path.length > 1);
  if (host) {
    draw("print-path", host, {
      label: "Rolling 24 h dollars over the range, published and estimated", height: 150, unit: (v) => `$${compact.format(v)}`,
      lines: [{ label: "published", colour: "--p1", paths: steps() }, { label: "estimated", colour: "--p3", dash: [5, 4], paths: steps() }],
      data: [path.map((p) => p.minute / 1e6), path.map((p) => Number(p.usd_observed)), path.map((p) => (p.usd_estimated === null ? null : Number(p.usd_estimated)))],
    });
  }
  fill("print", "milestones", f.node("h3", {}, "Milestones"),
    milestones.length === 0 ? f.empty("No round total crossed in this range.")
      : f.table("Round totals crossed", ["at", "#total", "basis", "in words"], milestones.map((m) => [
        f.stamp(m.crossed_at), f.usd(m.threshold_usd),
        m.basis === "estimated" ? f.node("span", {}, "estimated ", f.share(m.probability)) : m.basis, m.text,
      ])));
}

export function alerts({ alerts: found }) {
  fill("alerts", "list", found.length === 0 ? f.empty("No alert in this range.")
    : f.node("div", { class: "scroll tall", tabindex: "0", role: "region", "aria-label": "Alerts, newest first" },
      f.node("ul", { class: "alerts" }, ...found.map((a) => f.node("li", {},
        f.tag(a.severity, SEVERITY[a.severity]), " ", f.stamp(a.at), ` ${a.scope} ${f.words(a.kind)}`,
        f.node("p", {}, a.text),
        Object.keys(a.unknown).length === 0 ? null : f.node("p", { class: "note" }, `Decided without: ${Object.entries(a.unknown).map(([name, why]) => `${f.words(name)} (${f.words(why)})`).join(", ")}.`))))));
}
