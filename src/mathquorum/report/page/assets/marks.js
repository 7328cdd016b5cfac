// How each figure looks wherever it is drawn, and the keys that name and toggle them.

const LOOKS = [
  [/^pass@1\.greedy$/, "var(--greedy)", "square", "greedy"],
  [/^pass@1$/, "var(--single)", "circle", "one sample"],
  [/^pass/, "var(--ceiling)", "wye", "ceiling", "5 4"],
  [/^maj1(@.*)?$/, "var(--vote)", "circle", "vote"],
  [/^maj\d*(@.*)?$/, "var(--ceiling)", "cross", "ceiling of clusters", "2 4"],
  [/^rr\.all$/, "var(--all)", "triangle", "rr.all"],
  [/^rr\.top/, "var(--top)", "diamond", "rr.topK"],
  [/^w\.rr\.top/, "var(--weighted-top)", "square", "w.rr.topK", "6 3"],
  [/^w\.rr$/, "var(--weighted)", "square", "w.rr"],
  [/^maj1\.top/, "var(--kept)", "star", "maj1.topN'"],
  [/^pv/, "var(--sky)", "cross", "pv", "8 3"],
  [/^borda/, "var(--other)", "wye", "borda", "3 3"],
  [/^deepconf\.keep[1-4]/, "var(--other)", "times", "deepconf", "1 3"],
  [/^deepconf/, "var(--single)", "times", "deepconf", "1 3"],
];
const PALETTE = ["--vote", "--all", "--weighted", "--top", "--kept", "--sky", "--other", "--single", "--violet", "--olive", "--rose", "--teal"].map((name) => `var(${name})`);
const SYMBOLS = ["circle", "triangle", "square", "diamond", "star", "cross", "wye", "times"];
const SHAPES = {
  circle: d3.symbolCircle, square: d3.symbolSquare, triangle: d3.symbolTriangle, diamond: d3.symbolDiamond,
  star: d3.symbolStar, cross: d3.symbolCross, wye: d3.symbolWye, times: d3.symbolTimes,
};

function lookOf(name) {
  const [, color, symbol, , dash] = LOOKS.find(([pattern]) => pattern.test(name)) ?? [null, "var(--other)", "circle"];
  return { color, symbol, dash };
}

// The look of the n-th of things that are no figures (scores, generators).
const lookAt = (place) => ({ color: PALETTE[place % PALETTE.length], symbol: SYMBOLS[place % SYMBOLS.length] });

function swatch({ color, symbol }) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "-7 -7 14 14");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", d3.symbol(SHAPES[symbol] ?? d3.symbolCircle, 70)());
  if (symbol === "times") { path.setAttribute("stroke", color); path.setAttribute("stroke-width", "2"); }
  else path.setAttribute("fill", color);
  svg.append(path);
  return el("i", { "aria-hidden": "true" }, svg);
}

// Buttons that show and hide; `state` is a Set of what is shown.
function key(host, names, lookFor, state, changed, labelFor = (name) => name) {
  host.replaceChildren(
    ...names.map((name) =>
      el("button", {
        class: "key", type: "button", "aria-pressed": String(state.has(name)), title: CHARTS.meanings[name],
        onclick: (event) => {
          state.has(name) ? state.delete(name) : state.add(name);
          event.currentTarget.setAttribute("aria-pressed", String(state.has(name)));
          changed();
        },
      }, swatch(lookFor(name)), labelFor(name))),
  );
}
