// The page: what is asked stands in the address, what is told comes as server-sent events.
import * as f from "/static/format.js";
import { setSpan } from "/static/charts.js";
import { failing } from "/static/layout.js";
import { feeds } from "/static/feeds.js";
import { cascades, ends, forced } from "/static/forced.js";
import { health, regime } from "/static/standing.js";
import { dominance, imbalance, liquidity, zones } from "/static/signals.js";
import { alerts, print } from "/static/totals.js";

const PANELS = { feeds, cascades, forced, alerts, health, print, imbalance, liquidity, zones, regime, dominance };
const RANGES = ["15m", "1h", "6h", "24h", "7d", "30d"];
const $ = (id) => document.getElementById(id);
let source = null;
let clock = null;
let known = ["ALL"];
let heard = 0;
const QUIET_MS = 15_000;

function asked() {
  const query = new URLSearchParams(location.search);
  const fixed = query.has("from") || query.has("to");
  return { asset: query.get("asset") ?? "ALL", range: fixed ? null : query.get("range") ?? "1h", from: query.get("from"), to: query.get("to") };
}

function address({ asset, range, from, to }) {
  const query = new URLSearchParams({ asset });
  if (range) query.set("range", range);
  else { query.set("from", from); query.set("to", to); }
  return `?${query}`;
}

function go(question) {
  history.pushState(null, "", address(question));
  show();
}

function controls(question) {
  $("ranges").replaceChildren(...RANGES.map((range) => {
    const link = f.node("a", { href: address({ ...question, range }), "aria-current": question.range === range ? "true" : null }, range);
    link.addEventListener("click", (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      go({ ...asked(), range });
    });
    return link;
  }));
  choices(question.asset);
  const form = $("fixed-form").elements;
  if (question.from) {
    $("fixed").open = true;
    form.from.value = new Date(zoned(question.from)).toISOString().slice(0, 19);
    form.to.value = new Date(zoned(question.to)).toISOString().slice(0, 19);
  }
  document.title = `${question.asset} ${question.range ?? "event"} · Marginquake`;
}

const zoned = (text) => (/[Zz]|[+-]\d\d:?\d\d$/.test(text) ? text : `${text}${text.includes("T") ? "" : "T00:00"}Z`);

function choices(asset) {
  const names = [...new Set(["ALL", asset, ...known])];
  const select = $("asset");
  if ([...select.options].map((o) => o.value).join() !== names.join()) {
    select.replaceChildren(...names.map((name) => f.node("option", { value: name }, name)));
  }
  select.value = asset;
}

function show() {
  const question = asked();
  source?.close();
  clock = null;
  controls(question);
  for (const body of document.querySelectorAll("#panels .body")) body.setAttribute("aria-busy", "true");
  const events = new EventSource(`/events${address(question)}`);
  source = events;
  events.addEventListener("open", () => connected(true));
  events.addEventListener("error", () => { if (source === events) connected(false, events.readyState === EventSource.CLOSED); });
  events.addEventListener("clock", (event) => { if (source === events) tick(JSON.parse(event.data)); });
  for (const [name, panel] of Object.entries(PANELS)) {
    events.addEventListener(name, (event) => {
      if (source !== events) return;
      const facts = JSON.parse(event.data);
      failing(name, facts.failure ?? null);
      if (facts.failure === undefined) panel(facts);
      document.querySelector(`#${name} .body`).removeAttribute("aria-busy");
      if (name === "feeds" && facts.assets) { known = facts.assets; choices(asked().asset); }
    });
  }
}

function connected(is, refused = false) {
  document.body.classList.toggle("cut-off", !is || clock?.failure);
  if (is) return;
  const since = clock === null ? "" : ` Figures below are those of ${new Date(clock.now / 1000).toISOString().slice(0, 19)} UTC.`;
  warn([f.node("p", { class: "failure", id: "cut" }, refused
    ? "The dashboard refuses this address: see that asset, range, from and to are right."
    : `No connection to the dashboard; trying again.${since}`)]);
}

function warn(nodes) {
  const place = $("warnings");
  const text = nodes.map((n) => n.textContent).join();
  if (place.textContent !== text) place.replaceChildren(...nodes);
}

function tick(next) {
  clock = next;
  heard = performance.now();
  ends(next);
  setSpan([next.span.begin / 1e6, next.span.end / 1e6]);
  document.body.classList.toggle("cut-off", next.failure !== null);
  const { reach } = next;
  const behind = reach === null ? null : next.now - reach.newest;
  $("status").replaceChildren(
    f.node("p", { id: "connection" }, next.failure === null ? "Connected" : "Warehouse away"),
    f.node("p", {}, next.live ? "Live, " : "Fixed, ", f.stamp(next.span.begin), " to ", f.stamp(next.span.end), " UTC"),
    f.node("p", { id: "reach" }, ...(reach === null ? [next.failure === null ? "no data" : "how far data reaches is not known"] : ["data to ", f.stamp(reach.newest), behind >= 0 ? `, ${f.ago(reach.newest, next.now)} ago` : ""])));
  const warnings = [];
  if (next.failure !== null) {
    warnings.push(f.node("p", { class: "failure", id: "failure" }, `Figures are not being renewed: ${next.failure}`));
  } else if (reach === null) {
    warnings.push(f.node("p", { class: "warning", id: "no-data" }, "This warehouse holds no frame yet: replay or collect something into it."));
  } else if (next.live && behind > next.stale_after_s * 1e6) {
    const begin = f.micros(Math.floor(reach.newest / 1e6) + 1) - (next.span.end - next.span.begin);
    const iso = (at) => new Date(at / 1000).toISOString().slice(0, 19) + "Z";
    const link = f.node("a", { href: address({ asset: asked().asset, range: null, from: iso(begin), to: iso(reach.newest + 1e6) }) }, "show the last of it");
    warnings.push(f.node("p", { class: "warning", id: "stale" }, `No new data for more than ${next.stale_after_s} s: the newest second is ${iso(reach.newest)}; `, link, "."));
  } else if (!next.live && (next.span.begin > reach.newest || next.span.end <= reach.oldest)) {
    warnings.push(f.node("p", { class: "warning" }, "The warehouse holds nothing of this range."));
  }
  warn(warnings);
}

// The connection stands and yet nothing comes: a statement that hangs must not look like calm.
setInterval(() => {
  if (clock === null || performance.now() - heard < QUIET_MS) return;
  document.body.classList.add("cut-off");
  warn([f.node("p", { class: "failure", id: "quiet" }, `The warehouse has not been read since ${new Date(clock.now / 1000).toISOString().slice(0, 19)} UTC.`)]);
}, 1000);

$("asset").addEventListener("change", () => go({ ...asked(), asset: $("asset").value }));
$("asset-form").addEventListener("submit", (event) => event.preventDefault());
$("fixed-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const { from, to } = $("fixed-form").elements;
  go({ asset: asked().asset, range: null, from: `${from.value}Z`, to: `${to.value}Z` });
});
addEventListener("popstate", show);
show();
