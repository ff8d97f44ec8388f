// Plots over time with uPlot: one colour scheme, one range, one cursor, UTC.
import uPlot from "/static/uplot.js";

let span = null;
const charts = new Map();
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export const bars = () => uPlot.paths.bars({ size: [0.9, 40] });
export const steps = () => uPlot.paths.stepped({ align: 1 });

export function setSpan(next) {
  const same = span && span[0] === next[0] && span[1] === next[1];
  span = next;
  if (!same) for (const { plot } of charts.values()) plot.setData(plot.data);
}

// Shaded stretches, drawn under the lines: [begin, end] in seconds.
function shading(stretches) {
  return {
    hooks: {
      drawClear: (plot) => {
        const { ctx, bbox } = plot;
        ctx.save();
        ctx.fillStyle = colour("--shade");
        for (const [begin, end] of stretches()) {
          const left = Math.max(bbox.left, plot.valToPos(begin, "x", true));
          const right = Math.min(bbox.left + bbox.width, plot.valToPos(end, "x", true));
          if (right >= left) ctx.fillRect(left, bbox.top, Math.max(2, right - left), bbox.height);
        }
        ctx.restore();
      },
    },
  };
}

// Labels of the time axis: 24 hours, the day once where it begins.
const two = (number) => String(number).padStart(2, "0");
function clockLabels(_, ticks, __, ___, step) {
  let day = null;
  return ticks.map((tick) => {
    const at = new Date(tick * 1000);
    const date = at.toISOString().slice(5, 10);
    const hour = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}${step < 60 ? `:${two(at.getUTCSeconds())}` : ""}`;
    const shown = date === day ? (step < 86_400 ? hour : date) : step < 86_400 ? `${hour}\n${date}` : date;
    day = date;
    return shown;
  });
}

// lines: {label, colour, dash, fill, paths, width, show}; data: aligned columns, x in seconds.
export function draw(name, host, { label, lines, data, height = 190, unit, range, stretches = () => [] }) {
  const known = charts.get(name);
  host.setAttribute("role", "img");
  host.setAttribute("aria-label", label);
  if (known && known.host.isConnected && known.lines === lines.length) {
    known.stretches = stretches;
    known.plot.setData(data);
    return;
  }
  forget(name);
  const kept = { host, lines: lines.length, stretches };
  const axis = { stroke: () => colour("--soft"), grid: { stroke: () => colour("--line"), width: 1 }, ticks: { stroke: () => colour("--line"), width: 1 } };
  kept.plot = new uPlot({
    width: Math.max(200, host.clientWidth),
    height,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    cursor: { sync: { key: "time" }, drag: { x: false, y: false } },
    scales: { x: { time: true, range: (_, low, high) => span ?? [low, high] }, y: range ? { range } : {} },
    axes: [{ ...axis, values: clockLabels }, { ...axis, size: 66, values: (_, ticks) => ticks.map(unit) }],
    series: [
      { label: "UTC", value: "{YYYY}-{MM}-{DD} {HH}:{mm}:{ss}" },
      ...lines.map((line) => ({
        label: line.label, stroke: () => colour(line.colour), width: line.width ?? 1.6, dash: line.dash,
        fill: line.fill ? () => colour(line.colour) : undefined, paths: line.paths, spanGaps: line.spanGaps ?? false,
        points: { show: line.points ?? false, size: 4 },
        value: (_, value) => (value === null || value === undefined ? "–" : unit(value)),
      })),
    ],
    plugins: [shading(() => kept.stretches())],
  }, data, host);
  charts.set(name, kept);
  sizes.observe(host);
}

export function forget(name) {
  const known = charts.get(name);
  if (known) {
    sizes.unobserve(known.host);
    known.plot.destroy();
    charts.delete(name);
  }
}

const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    for (const { host, plot } of charts.values()) {
      if (host === target && target.clientWidth > 0 && target.clientWidth !== plot.width) {
        plot.setSize({ width: target.clientWidth, height: plot.height });
      }
    }
  }
});

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const { plot } of charts.values()) plot.redraw(false, true);
});
