// Health with its contributions, and the leverage regime with its path.
import * as f from "/static/format.js";
import { draw, steps } from "/static/charts.js";
import { fill, plotHost } from "/static/layout.js";

const BANDS = { healthy: "ok", fragile: "warn", stressed: "warn", critical: "bad" };
const PHASES = ["accumulation", "expansion", "euphoria", "liquidation"];
const percent = (value) => `${Math.round(value * 100)} %`;

export function health({ now, path }) {
  if (now === null) {
    fill("health", "now", f.empty("No health reading in the day before this range's end."));
  } else {
    const known = now.health !== null;
    const parts = [
      ...Object.entries(now.contributions).map(([name, points]) => [name, points, "component"]),
      ...Object.entries(now.caps).map(([name, points]) => [name, points, "cap"]),
    ].sort((a, b) => b[1] - a[1]);
    fill("health", "now",
      f.node("p", {}, f.node("span", { class: "figure", id: "health-value" }, known ? f.number(now.health, 1) : "not known"),
        " ", known ? f.node("span", {}, "of 100 ") : null, now.band ? f.tag(now.band, BANDS[now.band]) : null),
      known ? null : f.reasons(now.null_reasons, ["health"]),
      now.weight_coverage < 1 ? f.node("p", { class: "degraded" }, `Components present hold ${percent(now.weight_coverage)} of the weight.`) : null,
      parts.length === 0 ? null : f.table("Points that each component takes", ["component", "#points", "of 100"], parts.map(([name, points, kind]) => [
        kind === "cap" ? `cap: ${f.words(name)}` : f.words(name), f.number(points, 3),
        f.node("meter", { min: 0, max: 100, value: Math.max(0, points), "aria-label": `${f.words(name)} takes ${points} points` }),
      ])),
      Object.keys(now.missing).length === 0 ? null : f.node("p", { class: "note" }, `Missing: ${Object.entries(now.missing).map(([name, why]) => `${f.words(name)} (${f.words(why)})`).join(", ")}.`),
      f.source(now));
  }
  const host = plotHost("health", "health-path", path.filter((p) => p.health !== null).length > 1);
  if (host) {
    draw("health-path", host, {
      label: `Health over the range, ${f.count(path.length, "reading")}`, height: 150, unit: (v) => v.toFixed(0), range: [0, 100],
      lines: [{ label: "health", colour: "--p1", paths: steps(), points: path.length < 40 }],
      data: [path.map((p) => p.read_at / 1e6), path.map((p) => p.health)],
    });
  }
}

export function regime({ now, path, transitions }) {
  if (now === null) {
    fill("regime", "now", f.empty("No regime reading in the day before this range's end."));
  } else {
    fill("regime", "now",
      f.node("p", {}, f.node("span", { class: "figure" }, now.state === null ? "not known" : f.words(now.state)), " ",
        now.sub_state ? f.tag(now.sub_state, "warn") : null, now.crowd_side ? f.node("span", {}, " crowded: ", f.side(now.crowd_side)) : null),
      now.state === null ? f.reasons(now.null_reasons, ["state"]) : null,
      f.figures([
        ...PHASES.map((name) => [name, f.share(now[`p_${name}`])]),
        ["since", f.stamp(now.since)],
        ["history", f.number(now.history_days, 1, " days")],
      ]),
      now.drivers.length === 0 ? null : f.node("p", { class: "note" }, `Drivers: ${now.drivers.map(([name, value]) => `${f.words(name)} ${value.toFixed(2)}`).join(", ")}.`),
      f.source(now));
  }
  const host = plotHost("regime", "regime-path", path.some((p) => p.p_accumulation !== null));
  if (host) {
    draw("regime-path", host, {
      label: "Probability of each phase over the range", height: 150, unit: percent, range: [0, 1],
      lines: PHASES.map((name, i) => ({ label: name, colour: `--p${i + 1}`, paths: steps(), points: path.length < 40 })),
      data: [path.map((p) => p.read_at / 1e6), ...PHASES.map((name) => path.map((p) => p[`p_${name}`]))],
    });
  }
  fill("regime", "transitions", f.node("h3", {}, "Changes of phase"),
    transitions.length === 0 ? f.empty("No change of phase in this range.")
      : f.table("Changes of phase", ["at", "from", "to", "#probability", "led to"], transitions.map((t) => [
        f.stamp(t.at), f.words(t.from_state), f.words(t.to_state), f.share(t.probability), t.resolved ? f.words(t.resolved) : "not yet told",
      ])));
}
