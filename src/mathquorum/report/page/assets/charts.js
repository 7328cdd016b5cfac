// The charts, drawn with Observable Plot when they come near the window, and again when their width changes.

const CHARTS = JSON.parse(byId("charts-data").textContent);
const drawn = new Map();

function chart(host, draw) {
  if (!host) return () => {};
  let width = 0;
  const redraw = () => {
    width = host.clientWidth;
    if (width > 0) host.replaceChildren(draw(width) ?? "");
  };
  drawn.set(host, redraw);
  new IntersectionObserver((entries, observer) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    new ResizeObserver(() => host.clientWidth !== width && redraw()).observe(host);
    redraw();
  }, { rootMargin: "400px" }).observe(host);
  return () => width && redraw();
}
addEventListener("beforeprint", () => drawn.forEach((redraw) => redraw()));

const base = (width, more) => ({ width, style: { background: "none", fontSize: "12px" }, marginRight: 14, ...more });
const log2Ticks = (largest) => {
  const ticks = d3.range(Math.floor(Math.log2(largest)) + 1).map((power) => 2 ** power);
  return largest > 1.4 * ticks.at(-1) ? [...ticks, largest] : ticks;
};
const spread = (values, least = 8) => {
  const [low, high] = d3.extent(values), room = Math.max(least - (high - low), 0.08 * (high - low)) / 2;
  return [Math.max(0, low - room), Math.min(100, high + room)];
};
const shortened = (text, most) => (text.length > most ? text.slice(0, most - 1) + "…" : text);
const points = (rows, more = {}) => rows.map(([x, value, low, high]) => ({ x, y: 100 * value, low: 100 * low, high: 100 * high, ...more }));

// Labels at the ends of lines, moved apart where they would touch.
function endLabels(lines, domain, height, end) {
  const gap = (14 * (domain[1] - domain[0])) / height;
  const ends = lines.map(({ name, rows, color }) => ({ name, color, x: end, y: rows.at(-1).y })).sort((a, b) => a.y - b.y);
  const groups = [];
  for (const end of ends) {
    groups.push([end]);
    const foot = (g) => d3.mean(g, (e) => e.y) - (gap * (g.length - 1)) / 2;
    while (groups.length > 1 && foot(groups.at(-1)) < foot(groups.at(-2)) + gap * groups.at(-2).length) groups.splice(-2, 2, [...groups.at(-2), ...groups.at(-1)]);
  }
  for (const group of groups) {
    const foot = d3.mean(group, (e) => e.y) - (gap * (group.length - 1)) / 2;
    group.forEach((end, place) => (end.at = foot + place * gap));
  }
  return Plot.text(ends, { x: "x", y: "at", text: "name", fill: "color", textAnchor: "start", dx: 7, fontWeight: 600, clip: false });
}

const labelRoom = (shownLines) => Math.min(150, 7.2 * (d3.max(shownLines, ({ name }) => name.length) ?? 0) + 16);

// Lines with bands over one axis; the pointer tells the figures.
function lines(width, shownLines, { height = 340, x, y, domain, labels = true, band = true }) {
  const roomy = labels && width > 460;
  const range = domain ?? spread(shownLines.flatMap(({ rows }) => rows.flatMap((r) => (band ? [r.low, r.high] : [r.y]))));
  const frame = { height, marginRight: roomy ? labelRoom(shownLines) : 14, marginLeft: 40, marginBottom: 38, marginTop: 24 };
  return Plot.plot(base(width, {
    ...frame, x: { ...x, grid: false }, y: { label: y, domain: range, grid: true, nice: false },
    symbol: { legend: false },
    marks: [
      ...shownLines.flatMap(({ rows, color, dash, symbol }) => [
        band ? Plot.areaY(rows, { x: "x", y1: "low", y2: "high", fill: color, fillOpacity: 0.1 }) : null,
        Plot.lineY(rows, { x: "x", y: "y", stroke: color, strokeWidth: 2, strokeDasharray: dash }),
        symbol && rows.length <= 16 ? Plot.dot(rows, { x: "x", y: "y", fill: color, stroke: color, symbol, r: 3 }) : null,
      ]),
      roomy ? endLabels(shownLines, range, height - 62, x.domain[1]) : null,
      Plot.tip(shownLines.flatMap(({ name, rows }) => rows.map((row) => ({ ...row, name }))), Plot.pointer({
        x: "x", y: "y", title: (r) => `${r.name} at ${count(r.x)}\n${r.y.toFixed(1)}%${r.low == null ? "" : `  (${r.low.toFixed(1)} to ${r.high.toFixed(1)})`}`,
      })),
    ],
  }));
}

// --- every model and strategy -----------------------------------------------------------------------------------------

const OVERVIEW = [/^pass@1\.greedy$/, /^pass@1$/, /^maj1@/, /^rr\.all$/, /^rr\.top/, /^w\.rr$/, /^pass@(?!1$|1\.)/];
const overviewNames = d3.sort(new Set(CHARTS.rows.flatMap((row) => Object.keys(row.figures)).filter((name) => OVERVIEW.some((o) => o.test(name)))), (name) => OVERVIEW.findIndex((o) => o.test(name)));
const overviewKind = (name) => OVERVIEW.findIndex((o) => o.test(name));
const overviewKinds = [...new Set(overviewNames.map(overviewKind))]; // maj1@16 and maj1@32 are one
const overviewShown = new Set(overviewKinds);

// A line for each generator with what needs no scores, and below it one for each score with what is chosen by it.
function overviewRows() {
  const seen = new Set(), found = [];
  for (const row of CHARTS.rows) {
    const free = ([name]) => name.includes("@"), figures = Object.entries(row.figures).filter(([name]) => overviewNames.includes(name));
    if (!seen.has(row.generator)) found.push({ label: row.generator, figures: figures.filter((f) => !row.scorer || free(f)) });
    if (row.scorer) found.push({ label: `  by ${row.scorer}`, key: row.name, vote: figures.find(([name]) => name.startsWith("maj1@"))?.[1][0], figures: figures.filter((f) => !free(f)) });
    seen.add(row.generator);
  }
  return found;
}

function overview(width) {
  const names = overviewNames.filter((name) => overviewShown.has(overviewKind(name))), rows = overviewRows().map((row, place) => ({ ...row, place }));
  const narrow = width < 620, gap = 9;
  const data = rows.flatMap((row) => {
    const own = row.figures.filter(([name]) => names.includes(name));
    return own.map(([name, [value, low, high, problems]], order) => ({ place: row.place, label: row.label.trim(), name, order: order - (own.length - 1) / 2, x: 100 * value, low: 100 * low, high: 100 * high, problems }));
  });
  if (!data.length) return null;
  // Heights by hand: a row is as high as it has figures.
  let top = 0;
  for (const row of rows) {
    const number = data.filter((d) => d.place === row.place).length, head = narrow ? 18 : 0;
    [row.top, row.middle] = [top, top + head + 8 + (gap * Math.max(1, number)) / 2];
    top = row.bottom = top + head + 16 + gap * Math.max(1, number);
  }
  data.forEach((d) => { d.y = rows[d.place].middle + gap * d.order; });
  const left = narrow ? 6 : Math.min(240, 7.9 * d3.max(rows, (row) => row.label.length) + 16);
  return Plot.plot(base(width, {
    height: top + 62, marginLeft: left, marginTop: 26, marginBottom: 36, marginRight: 18,
    x: { domain: spread(data.flatMap((d) => [d.low, d.high])), label: "accuracy (%)", nice: true }, y: { domain: [0, top], range: [26, top + 26], axis: null },
    marks: [
      Plot.gridX({ stroke: "var(--line)", strokeOpacity: 1 }), Plot.axisX({ anchor: "top", label: null, tickSize: 0 }), Plot.axisX({ anchor: "bottom", tickSize: 0 }),
      Plot.ruleY(rows.filter((row) => !row.key && row.place), { y: "top", stroke: "var(--soft)", strokeOpacity: 0.45 }),
      ...[400, 700].map((fontWeight) => Plot.text(rows.filter((row) => !row.key === (fontWeight > 400)), { frameAnchor: "left", y: (row) => (narrow ? row.top + 11 : row.middle), text: (row) => shortened(row.label, narrow ? 46 : 30), dx: narrow ? 0 : 2 - left, textAnchor: "start", fontWeight, clip: false })),
      Plot.ruleX(rows.filter((row) => row.vote != null && overviewShown.has(overviewKind("maj1@N"))), { x: (row) => 100 * row.vote, y1: (row) => row.top + (narrow ? 18 : 3), y2: (row) => row.bottom - 3, stroke: "var(--vote)", strokeOpacity: 0.5, strokeDasharray: "3 3" }),
      ...names.flatMap((name) => {
        const own = data.filter((d) => d.name === name), { color, symbol } = lookOf(name);
        return [
          Plot.ruleY(own, { y: "y", x1: "low", x2: "high", stroke: color, strokeWidth: 1.8, strokeOpacity: 0.6 }),
          Plot.dot(own, { y: "y", x: "x", symbol, r: 4.2, fill: color, stroke: "var(--paper)", strokeWidth: 0.8 }),
        ];
      }),
      Plot.tip(data, Plot.pointer({ y: "y", x: "x", maxRadius: 14, title: (d) => `${d.label}\n${d.name}: ${d.x.toFixed(1)}%  (${d.low.toFixed(1)} to ${d.high.toFixed(1)}, ${count(d.problems)} problems)` })),
    ],
  }));
}

// --- curves and sweeps ------------------------------------------------------------------------------------------------

const sweepNames = Object.keys(CHARTS.sweeps);
const curveNames = [...new Set(Object.values(CHARTS.sweeps).flatMap((sweep) => Object.keys(sweep.candidates)))];
const curvesShown = new Set(curveNames.filter((name) => ["pass", "maj1", "rr.all", "rr.top8", "w.rr"].includes(name)));
const labelOf = (name) => ({ pass: "pass@k", maj: "majK@N", "rr.top": "rr.topK", "w.rr.top": "w.rr.topK", "maj1.top": "maj1.topN'" })[name] ?? name;

function curves(width, row) {
  const sweep = CHARTS.sweeps[row];
  if (!sweep) return null;
  const shownLines = curveNames.filter((name) => curvesShown.has(name) && sweep.candidates[name])
    .map((name) => ({ name: labelOf(name), rows: points(sweep.candidates[name]), ...lookOf(name) }));
  if (!shownLines.length) return null;
  const largest = d3.max(shownLines, ({ rows }) => rows.at(-1).x);
  return lines(width, shownLines, { height: width < 460 ? 300 : 400, x: logAxis(largest, "candidates per problem (N)"), y: "accuracy (%)" });
}

const logAxis = (largest, label) => ({ type: "log", base: 2, domain: [1, Math.max(2, largest)], ticks: log2Ticks(largest), tickFormat: (d) => count(d), label });
const SWEPT = ["maj", "rr.top", "w.rr.top", "maj1.top"];
const swept = new Set(SWEPT.slice(1));

function sweepChart(width, clusters, calls, domain) {
  const shownLines = SWEPT.filter((name) => swept.has(name) && clusters[name]).map((name) => ({ name: labelOf(name), rows: clusters[name], ...lookOf(name) }));
  if (!shownLines.length) return null;
  const largest = d3.max([...shownLines.map(({ rows }) => rows.at(-1).x), calls.length ? calls.at(-1).x : 1]);
  const x = logAxis(largest, "clusters considered (K), candidates kept (N')");
  const upper = lines(width, shownLines, { height: 270, x: { ...x, label: null }, y: "accuracy (%)", domain, band: shownLines[0].rows[0].low != null });
  if (!calls.length) return upper;
  const margins = { marginLeft: 40, marginRight: width > 460 ? labelRoom(shownLines) : 14 };
  const lower = Plot.plot(base(width, {
    height: 118, ...margins, marginBottom: 34, marginTop: 24, x, y: { domain: [0, 100], label: "calls (%)", ticks: 3, grid: true },
    marks: [Plot.areaY(calls, { x: "x", y: "y", fill: "var(--soft)", fillOpacity: 0.18 }), Plot.lineY(calls, { x: "x", y: "y", stroke: "var(--soft)", strokeWidth: 1.6, tip: true })],
  }));
  return el("div", {}, upper, lower);
}

const sweepHere = (row) => Object.fromEntries(Object.entries(CHARTS.sweeps[row].clusters).map(([name, rows]) => [name, points(rows)]));
const sweepPaper = () => Object.fromEntries(Object.entries(CHARTS.paperSweep).filter(([name]) => name !== "calls").map(([name, rows]) => [name, rows.map(([x, y]) => ({ x, y }))]));

// --- scores -----------------------------------------------------------------------------------------------------------

const scoreNames = Object.keys(CHARTS.scores);
const scoresShown = new Set(scoreNames);
const scoreLook = (name) => lookAt(scoreNames.indexOf(name));

function within(width) {
  const rows = scoreNames.filter((name) => CHARTS.scores[name].figures["auc.within"]);
  if (!rows.length) return el("p", { class: "why" }, "No problem has right and wrong candidates with scores.");
  const ticks = rows.flatMap((name) => CHARTS.scores[name].within.map((x) => ({ name, x: 100 * x })));
  const means = rows.map((name) => { const [value, low, high, problems] = CHARTS.scores[name].figures["auc.within"]; return { name, x: 100 * value, low: 100 * low, high: 100 * high, problems }; });
  const narrow = width < 520;
  return Plot.plot(base(width, {
    height: (narrow ? 64 : 46) * rows.length + 44, marginLeft: narrow ? 6 : Math.min(240, 7.5 * d3.max(rows, (r) => r.length) + 14), marginTop: 12, marginBottom: 34,
    x: { domain: [0, 100], label: "AUC within a problem (%)", grid: true }, y: { domain: rows, label: null, axis: narrow ? null : "left", tickSize: 0, padding: 0.3 },
    marks: [
      Plot.ruleX([50], { stroke: "var(--soft)", strokeDasharray: "4 3" }),
      Plot.tickX(ticks, { x: "x", y: "name", stroke: "var(--soft)", strokeOpacity: 0.28 }),
      narrow ? Plot.text(rows, { y: (d) => d, text: (d) => d, frameAnchor: "left", dy: -24, fontWeight: 600 }) : null,
      Plot.ruleY(means, { y: "name", x1: "low", x2: "high", stroke: (d) => scoreLook(d.name).color, strokeWidth: 5, strokeOpacity: 0.75 }),
      Plot.dot(means, { y: "name", x: "x", r: 6, fill: (d) => scoreLook(d.name).color, stroke: "var(--paper)", strokeWidth: 1.5 }),
      Plot.tip(means, Plot.pointer({ y: "name", x: "x", title: (d) => `${d.name}: ${d.x.toFixed(1)}%  (${d.low.toFixed(1)} to ${d.high.toFixed(1)}, ${count(d.problems)} problems)` })),
    ],
    color: { type: "identity" },
  }));
}

function roc(width) {
  const rows = scoreNames.filter((name) => scoresShown.has(name)).flatMap((name) => CHARTS.scores[name].roc.map(([x, y]) => ({ name, x: 100 * x, y: 100 * y, color: scoreLook(name).color })));
  const side = Math.min(width, 430);
  return Plot.plot(base(side, {
    height: side, marginLeft: 40, marginBottom: 38, x: { domain: [0, 100], label: "wrong candidates above the threshold (%)" }, y: { domain: [0, 100], label: "right ones (%)", grid: true }, color: { type: "identity" },
    marks: [
      Plot.line([[0, 0], [100, 100]], { stroke: "var(--soft)", strokeDasharray: "4 3" }),
      Plot.line(rows, { x: "x", y: "y", stroke: "color", z: "name", strokeWidth: 2 }),
      Plot.tip(rows, Plot.pointer({ x: "x", y: "y", title: (d) => `${d.name}\n${d.y.toFixed(1)}% of right, ${d.x.toFixed(1)}% of wrong candidates` })),
    ],
  }));
}

function calibration(width) {
  const rows = scoreNames.filter((name) => scoresShown.has(name)).flatMap((name) => CHARTS.scores[name].calibration.map(([, , score, share, number]) => ({ name, x: 100 * score, y: 100 * share, number, color: scoreLook(name).color })));
  const side = Math.min(width, 430);
  return Plot.plot(base(side, {
    height: side, marginLeft: 40, marginBottom: 38, x: { domain: [0, 100], label: "score (%)" }, y: { domain: [0, 100], label: "correct (%)", grid: true }, color: { type: "identity" }, r: { range: [2, 9] },
    marks: [
      Plot.line([[0, 0], [100, 100]], { stroke: "var(--soft)", strokeDasharray: "4 3" }),
      Plot.line(rows, { x: "x", y: "y", stroke: "color", z: "name", strokeWidth: 1.6, strokeOpacity: 0.7 }),
      Plot.dot(rows, { x: "x", y: "y", fill: "color", r: "number", fillOpacity: 0.85 }),
      Plot.tip(rows, Plot.pointer({ x: "x", y: "y", title: (d) => `${d.name}\nscore ${d.x.toFixed(1)}%: ${d.y.toFixed(1)}% correct\n${plural(d.number, "candidate")}` })),
    ],
  }));
}

// --- subjects, training, cost -----------------------------------------------------------------------------------------

function subjects(width, row, figure) {
  const table = CHARTS.subjects[row]?.[figure];
  if (!table) return null;
  const rows = Object.entries(table).flatMap(([subject, levels]) => Object.entries(levels).map(([level, [value, number]]) => ({ subject: plain(subject), level, value: 100 * value, number })));
  const levels = [...new Set(rows.map((r) => r.level))].sort((a, b) => d3.ascending(+a, +b)), names = [...new Set(rows.map((r) => r.subject))].sort();
  const left = Math.min(170, 7 * d3.max(names, (n) => n.length) + 12, width * 0.38);
  const cell = Math.min(110, (width - left - 14) / levels.length);
  const most = Math.floor(left / 7);
  const low = getComputedStyle(document.documentElement).getPropertyValue("--heat-low").trim(), high = getComputedStyle(document.documentElement).getPropertyValue("--heat-high").trim();
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const ink = (d) => (dark ? (d.value > 62 ? "#08121c" : "#e4e8ec") : d.value > 52 ? "#fff" : "#14202c");
  return Plot.plot(base(left + cell * levels.length + 14, {
    height: 44 * names.length + 50, marginLeft: left, marginTop: 34, marginBottom: 10, x: { domain: levels, label: levels.length > 1 || levels[0] !== "none" ? "level" : null, axis: "top", tickSize: 0, tickFormat: (d) => (d === "none" ? "" : d) }, y: { domain: names, label: null, tickSize: 0, tickFormat: (d) => shortened(d, most) },
    color: { domain: [0, 100], interpolate: (t) => d3.interpolateRgb(low, high)(t) },
    marks: [
      Plot.cell(rows, { x: "level", y: "subject", fill: "value", inset: 1.5, rx: 4 }),
      Plot.text(rows, { x: "level", y: "subject", text: (d) => d.value.toFixed(0), fill: ink, dy: -5, fontWeight: 600, fontSize: 13 }),
      Plot.text(rows, { x: "level", y: "subject", text: (d) => count(d.number), fill: ink, dy: 9, fontSize: 10, fillOpacity: 0.85 }),
      Plot.tip(rows, Plot.pointer({ x: "level", y: "subject", title: (d) => `${d.subject}, level ${d.level}\n${d.value.toFixed(1)}% of ${plural(d.number, "problem")}` })),
    ],
  }));
}

function training(width, name) {
  const rows = CHARTS.training[name].filter((row) => row.loss != null);
  if (!rows.length) return el("p", { class: "why" }, "Its log has no losses.");
  return Plot.plot(base(width, {
    height: 170, marginLeft: 42, marginBottom: 32, x: { label: "step", ticks: 4 }, y: { label: "loss", grid: true, ticks: 4, zero: false },
    marks: [Plot.lineY(rows, { x: "step", y: "loss", stroke: "var(--vote)", strokeWidth: 2 }), rows.length < 30 ? Plot.dot(rows, { x: "step", y: "loss", fill: "var(--vote)", r: 2.5 }) : null,
      Plot.tip(rows, Plot.pointerX({ x: "step", y: "loss", title: (r) => `step ${count(r.step)}\nloss ${r.loss.toPrecision(4)}${r.learning_rate == null ? "" : `\nlearning rate ${r.learning_rate.toPrecision(3)}`}` }))],
  }));
}

// Every row's vote, and its w.rr where it has scores: over the number of candidates, by what they cost.
function costLines(measure) {
  const found = [];
  for (const [name, [tokens, calls, sampling, scoring]] of Object.entries(CHARTS.costs)) {
    const sweep = CHARTS.sweeps[name], row = CHARTS.rows.find((r) => r.name === name);
    if (!sweep || !row) continue;
    const seconds = (scored) => (sampling == null || (scored && scoring == null) ? null : sampling + (scored ? scoring : 0));
    const add = (strategy, total, label) => {
      if (total && sweep.candidates[strategy]) found.push({ name: label, rows: sweep.candidates[strategy].map(([x, value, low, high]) => ({ n: x, x: (total * x) / sweep.candidates[strategy].at(-1)[0], y: 100 * value, low: 100 * low, high: 100 * high })) });
    };
    const total = (scored) => ({ tokens, calls: scored ? calls : null, seconds: seconds(scored) })[measure];
    if (measure !== "calls" && !found.some((line) => line.name === `${row.generator}: vote`)) add("maj1", total(false), `${row.generator}: vote`);
    if (row.scorer) add("w.rr", total(true), `${name}: w.rr`);
  }
  return found;
}
// At first the votes and the evaluators that were trained: the others are a press away.
const costHidden = new Set(CHARTS.rows.filter((row) => row.scorer && !(CHARTS.costs[row.name]?.[1] > 0)).map((row) => `${row.name}: w.rr`));
// Of many generators, those whose candidates were scored.
const scoredGenerators = new Set(CHARTS.rows.filter((row) => row.scorer).map((row) => row.generator));
if (scoredGenerators.size && new Set(CHARTS.rows.map((row) => row.generator)).size > 8)
  CHARTS.rows.filter((row) => !scoredGenerators.has(row.generator)).forEach((row) => costHidden.add(`${row.generator}: vote`));

function costs(width, measure) {
  const all = costLines(measure), visibleLines = all.filter(({ name }) => !costHidden.has(name));
  if (!visibleLines.length) return el("p", { class: "why" }, "This was not recorded, or nothing is chosen.");
  const rows = visibleLines.flatMap(({ name, rows }) => rows.map((row) => ({ ...row, name, ...lookAt(all.findIndex((l) => l.name === name)) })));
  return Plot.plot(base(width, {
    height: width < 460 ? 300 : 380, marginLeft: 38, marginBottom: 38, color: { type: "identity" }, symbol: { domain: SYMBOLS, range: SYMBOLS.map((name) => SHAPES[name]) }, x: { type: "log", label: `${{ tokens: "tokens written", calls: "evaluator calls", seconds: "seconds" }[measure]} per problem`, tickFormat: "~s", ticks: width < 460 ? 4 : 8 }, y: { label: "accuracy (%)", grid: true, domain: spread(rows.map((r) => r.y)) },
    marks: [
      Plot.line(rows, { x: "x", y: "y", z: "name", stroke: "color", strokeWidth: 2 }),
      Plot.dot(rows, { x: "x", y: "y", fill: "color", stroke: "color", symbol: "symbol", r: 3.4 }),
      Plot.tip(rows, Plot.pointer({ x: "x", y: "y", title: (d) => `${d.name}\n${plural(d.n, "candidate")}: ${d.y.toFixed(1)}%\n${d.x.toPrecision(3)} ${measure} per problem` })),
    ],
  }));
}
