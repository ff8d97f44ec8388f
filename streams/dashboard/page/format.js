// Words and elements. Text reaches the page as text nodes only, and every dollar figure keeps its
// exact decimal in `value`, whatever the shortened one says.

export const micros = (seconds) => seconds * 1_000_000;

export function node(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const short = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 4 });
const plain = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });

export function usd(value, identifiability = "ok") {
  if (value === null || value === undefined) return unknown();
  const floor = identifiability === "saturated" || identifiability === "unknown" ? "≥ " : "";
  return node("data", { class: "usd", value, title: `${value} USD` }, `${floor}$${short.format(value)}`);
}

export function number(value, digits = 2, unit = "") {
  if (value === null || value === undefined) return unknown();
  const text = new Intl.NumberFormat("en", { maximumFractionDigits: digits }).format(value);
  return node("data", { value }, `${text}${unit}`);
}

export const share = (value, digits = 0) =>
  value === null || value === undefined ? unknown()
    : node("data", { value }, `${(value * 100).toFixed(digits)} %`);

export const price = (value) =>
  value === null || value === undefined ? unknown() : node("data", { value }, plain.format(value));

export const unknown = () => node("span", { class: "empty", title: "not known" }, "–");

export function stamp(at, withDay = true) {
  if (at === null || at === undefined) return unknown();
  const text = new Date(at / 1000).toISOString();
  const shown = withDay ? text.slice(0, 19).replace("T", " ") : text.slice(11, 19);
  return node("time", { datetime: text }, shown);
}

export function ago(from, to) {
  const s = Math.max(0, Math.round((to - from) / 1_000_000));
  if (s < 120) return `${s} s`;
  if (s < 7200) return `${Math.round(s / 60)} min`;
  return s < 172_800 ? `${Math.round(s / 3600)} h` : `${Math.round(s / 86_400)} days`;
}

export const length = (seconds) =>
  seconds % 86_400 === 0 ? `${seconds / 86_400} d`
    : seconds % 3600 === 0 ? `${seconds / 3600} h`
      : seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;

export const count = (number, one) => `${number.toLocaleString("en")} ${one}${number === 1 ? "" : "s"}`;

export const words = (name) => (name === null || name === undefined ? "–" : name.replaceAll("_", " "));

export const tag = (text, kind) => node("span", { class: `tag ${kind}` }, words(text));

export const side = (name) => node("span", { class: name }, name);

export const empty = (text) => node("p", { class: "empty" }, text);

export function figures(pairs) {
  const list = node("dl", { class: "figures" });
  for (const [name, value] of pairs) {
    list.append(node("div", {}, node("dt", {}, name), node("dd", {}, value)));
  }
  return list;
}

// heads: a name, or a name after "#" for a column of numbers.
export function table(label, heads, rows, tall = false) {
  const numeric = heads.map((head) => head.startsWith("#"));
  const head = node("tr", {}, ...heads.map((text, i) =>
    text === "" ? node("td") : node("th", { scope: "col", class: numeric[i] ? "n" : null }, text.replace("#", ""))));
  const body = rows.map((cells) => node("tr", {}, ...cells.map((cell, i) =>
    node("td", { class: numeric[i] ? "n" : null }, cell))));
  const grid = node("table", {}, node("caption", { class: "skip" }, label),
    node("thead", {}, head), node("tbody", {}, ...body));
  return node("div", { class: tall ? "scroll tall" : "scroll", tabindex: "0", role: "region", "aria-label": label }, grid);
}

// Why numbers are null, each reason once.
export function reasons(map, fields = null) {
  const by = new Map();
  for (const [field, why] of Object.entries(map ?? {})) {
    if (fields === null || fields.includes(field)) by.set(why, [...(by.get(why) ?? []), field]);
  }
  if (by.size === 0) return null;
  const text = [...by].map(([why, names]) => `${names.map(words).join(", ")}: ${words(why)}`).join("; ");
  return node("p", { class: "note why" }, `Not known: ${text}.`);
}

// Readings come at least at each turn of an hour: one that is older is no longer renewed.
const OLD_S = 4200;
let now = null;
export const standAt = (end) => { now = end; };
export const old = (at) => now !== null && now - at > OLD_S * 1e6;

// The moment a reading speaks for, its definition, and coverage when it is not whole.
export function source(reading) {
  const at = reading.at ?? reading.as_of;
  const parts = [node("p", { class: "note" }, "as of ", stamp(at),
    `, ${reading.definition}, parameters ${reading.params_hash.slice(0, 12)}`)];
  if (reading.coverage < 1) {
    parts.unshift(node("p", { class: "degraded" }, `Coverage ${(reading.coverage * 100).toFixed(0)} % over the time that this reading counts: not every subscribed venue was heard.`));
  }
  if (old(at)) parts.unshift(node("p", { class: "degraded old" }, `No newer reading for ${ago(at, now)} before this range's end.`));
  return node("div", {}, ...parts);
}
