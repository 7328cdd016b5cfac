// Puts the page together: keys and choices of the charts, the contents list, names on hover, the inspector.

function rowChooser(id, names, draw) {
  const select = byId(id);
  if (!select) return;
  options(select, names.map((name) => [name, name]), names[0]);
  select.parentElement.hidden = names.length < 2;
  select.addEventListener("change", draw);
}

function drawOverview() {
  if (!byId("overview")) return;
  const redraw = chart(byId("overview"), overview);
  const namesOf = (kind) => overviewNames.filter((name) => overviewKind(name) === kind);
  const label = (kind) => (namesOf(kind).length === 1 ? namesOf(kind)[0] : namesOf(kind)[0].replace(/@\d+$/, "@N"));
  key(byId("overview-key"), overviewKinds, (kind) => lookOf(namesOf(kind)[0]), overviewShown, redraw, label);
}

function drawCurves() {
  if (!byId("curves-chart")) return;
  const many = sweepNames.filter((name) => Object.values(CHARTS.sweeps[name].candidates).some((rows) => rows.length > 1));
  const best = many.find((name) => Object.keys(CHARTS.sweeps[name].candidates).length > 2) ?? many[0];
  const redraw = chart(byId("curves-chart"), (width) => curves(width, byId("curves-row").value));
  rowChooser("curves-row", [best, ...many.filter((name) => name !== best)], redraw);
  key(byId("curves-key"), curveNames, lookOf, curvesShown, redraw, labelOf);
}

function drawSweep() {
  if (!byId("sweep-here")) return;
  const rows = sweepNames.filter((name) => Object.keys(CHARTS.sweeps[name].clusters).length > 1);
  const here = chart(byId("sweep-here"), (width) => sweepChart(width, sweepHere(byId("sweep-row").value), points(CHARTS.sweeps[byId("sweep-row").value].calls)));
  const paper = chart(byId("sweep-paper"), (width) => sweepChart(width, sweepPaper(), (CHARTS.paperSweep.calls ?? []).map(([x, y]) => ({ x, y }))));
  const trained = rows.find((name) => / \+ (cross_entropy|margin)$/.test(name)) ?? rows[0];
  rowChooser("sweep-row", [trained, ...rows.filter((name) => name !== trained)], here);
  key(byId("sweep-key"), SWEPT, lookOf, swept, () => { here(); paper(); }, labelOf);
}

function drawScores() {
  if (!byId("scores-within")) return;
  chart(byId("scores-within"), within);
  const redraws = [chart(byId("scores-roc"), roc), chart(byId("scores-calibration"), calibration)];
  key(byId("scores-key"), scoreNames, scoreLook, scoresShown, () => redraws.forEach((redraw) => redraw()));
}

function drawSubjects() {
  if (!byId("subjects-chart")) return;
  const rows = Object.keys(CHARTS.subjects);
  const redraw = chart(byId("subjects-chart"), (width) => subjects(width, byId("subjects-row").value, byId("subjects-figure").value));
  const figures = () => {
    const names = Object.keys(CHARTS.subjects[byId("subjects-row").value]);
    const kept = byId("subjects-figure").value;
    options(byId("subjects-figure"), names.map((name) => [name, name]), names.includes(kept) ? kept : (names.find((name) => name.startsWith("maj1@")) ?? names[0]));
  };
  rowChooser("subjects-row", rows, () => { figures(); redraw(); });
  figures();
  byId("subjects-figure").addEventListener("change", redraw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
}

function drawCosts() {
  if (!byId("costs-chart")) return;
  const redraw = chart(byId("costs-chart"), (width) => costs(width, byId("costs-measure").value));
  const keys = () => {
    const names = costLines(byId("costs-measure").value).map(({ name }) => name);
    const state = { has: (name) => !costHidden.has(name), add: (name) => costHidden.delete(name), delete: (name) => costHidden.add(name) };
    key(byId("costs-key"), names, (name) => lookAt(names.indexOf(name)), state, redraw);
  };
  keys();
  byId("costs-measure").addEventListener("change", () => { keys(); redraw(); });
}

// What is folded is printed, too.
addEventListener("beforeprint", () => document.querySelectorAll("main details.table").forEach((folded) => { folded.open = true; }));

function contents() {
  const links = new Map([...document.querySelectorAll("nav.contents a")].map((link) => [link.getAttribute("href").slice(1), link]));
  const folded = document.querySelector("nav.contents details");
  if (innerWidth < 1180) folded.open = false;
  matchMedia("(min-width: 1180px)").addEventListener("change", (event) => { folded.open = event.matches; });
  const watcher = new IntersectionObserver((entries) => {
    const seen = entries.find((entry) => entry.isIntersecting);
    if (!seen) return;
    links.forEach((link) => link.classList.toggle("here", link === links.get(seen.target.id)));
  }, { rootMargin: "-10% 0px -80% 0px" });
  document.querySelectorAll("main > section").forEach((section) => watcher.observe(section));
}

// The meaning of a name, beside it, for pointer and keyboard.
function meanings() {
  let tip = null;
  const hide = () => { tip?.remove(); tip = null; };
  const show = (event) => {
    const term = event.target.closest?.(".term");
    hide();
    if (!term) return;
    tip = el("div", { class: "tip", role: "tooltip" }, term.dataset.tip);
    document.body.append(tip);
    const box = term.getBoundingClientRect();
    const left = Math.min(box.left, document.documentElement.clientWidth - tip.offsetWidth - 12);
    tip.style.left = `${Math.max(8, left) + scrollX}px`;
    tip.style.top = `${box.bottom + scrollY + 6}px`;
  };
  document.addEventListener("mouseover", show);
  document.addEventListener("focusin", show);
  document.addEventListener("focusout", hide);
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
}

drawOverview();
drawCurves();
drawSweep();
drawScores();
drawSubjects();
document.querySelectorAll("[data-training]").forEach((host) => chart(host, (width) => training(width, host.dataset.training)));
drawCosts();
contents();
meanings();
if (byId("problems")) unpacked("inspector-data").then((data) => data && inspector(data)).finally(() => document.documentElement.setAttribute("data-ready", ""));
else document.documentElement.setAttribute("data-ready", "");
