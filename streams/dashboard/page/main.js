// The page: what is asked stands in the address, what is told comes as server-sent events.
import * as f from "/static/format.js";
import { setSpan } from "/static/charts.js";
import { failing, fill } from "/static/layout.js";
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
const AGAIN_MS = 3_000;

function asked() {
  const query = new URLSearchParams(location.search);
  const fixed = query.has("from") || query.has("to");
  return { asset: query.get("asset") ?? "ALL", range: fixed ? null : query.get("range") ?? "1h", from: query.get("from"), to: query.get("to") };
}

function address({ asset, range, from, to }) {
  const query = new URLSearchParams({ asset });
  for (const [name, value] of Object.entries(range ? { range } : { from, to })) {
    if (value !== null) query.set(name, value);
  }
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
  if (question.range === null) {
    $("fixed").open = true;
    form.from.value = local(question.from);
    form.to.value = local(question.to);
  }
  document.title = `${question.asset} ${question.range ?? "event"} · Marginquake`;
}

// What the field of a form shows of a time in the address; nothing of what is no time.
function local(text) {
  const at = new Date(zoned(text ?? ""));
  return Number.isNaN(at.getTime()) ? "" : at.toISOString().slice(0, 19);
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
  events.addEventListener("open", () => document.body.classList.toggle("cut-off", Boolean(clock?.failure)));
  events.addEventListener("error", () => {
    if (source !== events) return;
    if (events.readyState === EventSource.CLOSED) refused(events, question);
    else cut();
  });
  events.addEventListener("clock", (event) => { if (source === events) tick(JSON.parse(event.data)); });
  for (const [name, panel] of Object.entries(PANELS)) {
    events.addEventListener(name, (event) => {
      if (source !== events) return;
      const facts = JSON.parse(event.data);
      failing(name, facts.failure ?? null);
      if (facts.failure === undefined) panel(facts);
      if (facts.most !== undefined) limited(name, facts);
      document.querySelector(`#${name} .body`).removeAttribute("aria-busy");
      if (name === "feeds" && facts.assets) { known = facts.assets; choices(asked().asset); }
    });
  }
}

function cut(why = "No connection to the dashboard; trying again.") {
  document.body.classList.add("cut-off");
  say("Not connected");
  const since = clock === null ? "" : ` Figures below are those of ${new Date(clock.now / 1000).toISOString().slice(0, 19)} UTC.`;
  warn([f.node("p", { class: "failure", id: "cut" }, `${why}${since}`)]);
}

// The stream ended for good. A stream cannot say why; the same request can.
async function refused(events, question) {
  const asking = new AbortController();
  let why = null;
  let lasting = false;
  try {
    const answer = await fetch(`/events${address(question)}`, { signal: asking.signal });
    lasting = answer.status >= 400 && answer.status < 500;
    if (!answer.ok) why = `The dashboard refuses this view: ${(await answer.text()).trim()}.`;
  } catch { /* away: it is tried again */ }
  asking.abort();
  if (source !== events) return;
  cut(why ?? undefined);
  if (!lasting) setTimeout(() => { if (source === events) show(); }, AGAIN_MS);
}

// The only line of the status that a screen reader reads out: it changes when the state does.
function say(state) {
  if ($("connection").textContent !== state) $("connection").textContent = state;
}

// A list that is as long as lists may be.
function limited(name, { most, windows, alerts: told }) {
  const full = (windows ?? told).length >= most;
  fill(name, "limit", full ? f.node("p", { class: "degraded" }, `Only the newest ${most} are listed${windows && asked().asset === "ALL" ? " of the market's own, and of other scopes" : ""}.`) : null);
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
  f.standAt(next.span.end);
  setSpan([next.span.begin / 1e6, next.span.end / 1e6]);
  document.body.classList.toggle("cut-off", next.failure !== null);
  const { reach } = next;
  const behind = reach === null ? null : next.now - reach.newest;
  say(next.failure === null ? "Connected" : "Warehouse away");
  $("span").replaceChildren(next.live ? "Live, " : "Fixed, ", f.stamp(next.span.begin), " to ", f.stamp(next.span.end), " UTC");
  $("reach").replaceChildren(...(reach === null ? [next.failure === null ? "no data" : "how far data reaches is not known"] : ["data to ", f.stamp(reach.newest), behind >= 0 ? `, ${f.ago(reach.newest, next.now)} ago` : ""]));
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
// Browsers open six connections to a server at a time: tabs that nobody sees must not hold them.
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) { show(); return; }
  source?.close();
  source = null;
  clock = null;
});
if (document.hidden) controls(asked());
else show();
