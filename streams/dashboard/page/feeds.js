// Feed health by venue, coverage, and the list of assets.
import * as f from "/static/format.js";
import { fill } from "/static/layout.js";

const STATES = { live: "ok", partial: "warn", stale: "bad", silent: "bad" };

export function feeds({ venues, coverage, covered, assets }) {
  fill("feeds", "table",
    covered === null ? f.empty(assets.length === 0 ? "No frame in this range." : `No frame of this asset in this range, but of ${assets.slice(0, 8).join(", ")}.`)
      : f.figures([
        ["coverage now", coverage === null ? "no frame of late" : f.share(coverage.coverage)],
        ["complete frames of this range", f.share(covered.complete / covered.frames, 1)],
        ["lowest coverage", f.share(covered.lowest)],
        ["frames", f.number(covered.frames, 0)],
      ]),
    covered !== null && covered.lowest < 1 ? f.node("p", { class: "degraded" }, "Totals of this range rest on less than all subscribed venues.") : null,
    venues.length === 0 ? f.empty("No feed has spoken before this range's end.")
      : f.table("Feeds by venue", ["venue", "state", "why", "channels", "last word"], venues.map((v) => [
        v.venue, f.tag(v.state, STATES[v.state]), v.why || "every channel is up",
        [...new Set(v.channels.map((c) => c.channel))].join(", ") || "none", v.channels.length === 0 ? f.unknown() : f.stamp(Math.max(...v.channels.map((c) => c.at_us))),
      ])));
}
