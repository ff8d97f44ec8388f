// The inside of a panel: text that is replaced, plots that stay. What a reader has scrolled to or
// focused survives an update.
import { node } from "/static/format.js";
import { forget } from "/static/charts.js";

export function slot(panel, name, kind = "text") {
  const body = document.querySelector(`#${panel} .body`);
  let found = body.querySelector(`:scope > [data-slot="${name}"]`);
  if (!found) {
    body.querySelector(":scope > p.empty")?.remove();
    found = node("div", { "data-slot": name, class: kind === "chart" ? "chart" : null });
    body.append(found);
  }
  return found;
}

export function fill(panel, name, ...children) {
  const place = slot(panel, name);
  const label = place.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
  const places = new Map([...place.querySelectorAll(".scroll")].map((box) => [box.getAttribute("aria-label"), [box.scrollLeft, box.scrollTop]]));
  place.replaceChildren(...children.filter((child) => child !== null && child !== undefined));
  for (const box of place.querySelectorAll(".scroll")) {
    const [left, top] = places.get(box.getAttribute("aria-label")) ?? [0, 0];
    box.scrollLeft = left;
    box.scrollTop = top;
    if (label !== null && box.getAttribute("aria-label") === label) box.focus({ preventScroll: true });
  }
}

// The host of a plot, or nothing (and no plot) where there is nothing to plot.
export function plotHost(panel, name, wanted) {
  const host = slot(panel, name, "chart");
  host.hidden = !wanted;
  if (!wanted) {
    forget(name);
    host.replaceChildren();
  }
  return wanted ? host : null;
}

// A panel that could not be read says why, above what it knew last.
export function failing(panel, why) {
  const body = document.querySelector(`#${panel} .body`);
  body.querySelector(":scope > .failure")?.remove();
  if (why !== null) body.prepend(node("p", { class: "failure", "data-slot": "failure" }, `Not renewed: ${why}`));
}
