// The cluster inspector: which problems, in the list; what happened in one of them, beside it.

function inspector(data) {
  let pool = data.pools[0], scorer = pool.scorers[0], preset = "all";
  const problemOf = (looked) => data.problems[looked.id];
  const choice = (looked, strategy, of = scorer) => looked.p[of]?.[pool.strategies.indexOf(strategy)];
  const right = (looked, strategy) => { const place = choice(looked, strategy); return place >= 0 && looked.c[place].ok === true; };
  const graded = (looked) => looked.c.some((c) => c.ok !== undefined) || problemOf(looked).r !== undefined;
  const vote = () => pool.strategies.find((name) => name === "maj1") ?? pool.strategies[0];
  const others = () => pool.strategies.filter((name) => name !== vote() && data.pools.length && pool.problems.some((p) => choice(p, name) != null));
  const tied = (looked) => looked.c.length > 1 && looked.c[0].m.length === looked.c[1].m.length;
  const reranked = () => others().find((name) => name === "rr.top8") ?? others()[0];

  const PRESETS = {
    all: ["all", () => true, () => true],
    gained: ["vote wrong, re-rank right", (p) => graded(p) && !right(p, vote()) && right(p, reranked()), () => reranked()],
    lost: ["vote right, re-rank wrong", (p) => right(p, vote()) && !right(p, reranked()), () => reranked()],
    part: ["strategies part", (p) => new Set(pool.strategies.map((s) => choice(p, s)).filter((c) => c != null)).size > 1, () => others().length],
    missed: ["right answer there, nobody chose it", (p) => p.c.some((c) => c.ok) && !pool.strategies.some((s) => right(p, s)), () => pool.problems.some(graded)],
    none: ["no right candidate", (p) => graded(p) && !p.c.some((c) => c.ok), () => pool.problems.some(graded)],
    ties: ["tied votes", tied, () => true],
    empty: ["no answer at all", (p) => !p.c.length, () => true],
  };

  const list = rowList(byId("problems"), drawRow, show);

  function filtered() {
    const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = [["first", "first-is"], ["second", "second-is"]].map(([s, is]) => [byId(s).value, byId(is).value]).filter(([, is]) => is);
    return pool.problems.filter((looked) => {
      if (!PRESETS[preset][1](looked)) return false;
      if (!wanted.every(([strategy, is]) => graded(looked) && right(looked, strategy) === (is === "right"))) return false;
      if (!words.length) return true;
      const problem = problemOf(looked);
      const text = [looked.id, problem.t, problem.r, problem.s, ...looked.c.map((c) => c.a)].join("\n").toLowerCase();
      return words.every((word) => text.includes(word));
    });
  }

  function refresh() {
    const found = filtered();
    byId("found").textContent = `${count(found.length)} of ${plural(pool.problems.length, "problem")}`;
    list.show(found);
  }

  function choosePool() {
    options(byId("scorer"), pool.scorers.map((name) => [name, name ? plain(name) : "none"]), scorer);
    byId("scorer").parentElement.hidden = pool.scorers.length < 2 && !pool.scorers[0];
    const names = pool.strategies.filter((name) => pool.problems.some((p) => choice(p, name) != null)).map((name) => [name, name]);
    options(byId("first"), names, vote());
    options(byId("second"), names, reranked() ?? vote());
    byId("first").closest(".controls").hidden = !pool.problems.some(graded);
    byId("filters").replaceChildren(
      ...Object.entries(PRESETS).filter(([, [, , there]]) => there()).map(([name, [label, test]]) =>
        el("button", { type: "button", "aria-pressed": String(name === preset), onclick: () => { preset = name; choosePool(); } }, label, name === "all" ? "" : ` (${count(pool.problems.filter(test).length)})`)));
    refresh();
  }

  function drawRow(looked) {
    const problem = problemOf(looked), at = choice(looked, vote());
    const marks = !graded(looked) ? "" : [vote(), reranked()].filter(Boolean).map((name) => el("span", { class: right(looked, name) ? "right" : "wrong", style: "display:inline", title: name }, right(looked, name) ? "✓" : "✗"));
    return [el("span", { class: "marks" }, ...marks), el("b", {}, plain(looked.id)), el("span", {}, plain(problem.t.slice(0, 160)) || plain(looked.c[at]?.a ?? "no answer"))];
  }

  function show(looked) {
    const host = byId("detail");
    if (!looked) return host.replaceChildren(el("p", { class: "why" }, "No problem is like this. Choose another filter, or clear the search."));
    const problem = problemOf(looked), answered = d3.sum(looked.c, (c) => c.m.length);
    const about = [problem.s && plain(problem.s), problem.l != null && `level ${problem.l}`, `${plural(looked.n, "candidate")}, ${count(looked.n - answered)} without an answer`, looked.x.length && `${count(looked.x.length)} cut off`].filter(Boolean).join(" · ");
    host.replaceChildren(...[
      el("h3", {}, plain(looked.id)), el("p", { class: "soft small" }, about),
      problem.t ? el("div", { class: "problem" }, ...mathText(problem.t)) : null,
      problem.r === undefined ? el("p", { class: "soft" }, "There is no reference answer.") : el("p", {}, "Reference: ", el("strong", {}, answerNode(problem.r)), " ", el("code", { class: "soft small" }, ...textNodes(problem.r))),
      problem.w ? el("details", {}, el("summary", {}, "Reference solution"), el("div", { class: "solution" }, ...mathText(problem.w))) : null,
      flipped(looked), ...looked.c.map((cluster, place) => clusterNode(looked, cluster, place)), unanswered(looked),
    ].filter(Boolean));
  }

  function flipped(looked) {
    const lines = merged(flips(looked, scorer, pool.strategies.filter((name) => choice(looked, name) != null)));
    if (!lines.length) return null;
    const item = (line) => (typeof line === "string" ? el("li", {}, line) : el("li", {}, el("strong", {}, `${line[0]}: `), ...line[1].map((part) => (looked.c.some((c) => c.a === part) ? answerNode(part) : part))));
    return el("details", { open: true }, el("summary", {}, "What would have flipped the choice"), el("ul", { class: "plain" }, ...lines.map(item)));
  }

  // Strategies of which the same can be said stand together.
  function merged(lines) {
    const found = new Map();
    for (const line of lines) {
      const said = typeof line === "string" ? line : line[1].join("");
      if (!found.has(said)) found.set(said, typeof line === "string" ? line : [[line[0]], line[1]]);
      else found.get(said)[0].push(line[0]);
    }
    return [...found.values()].map((line) => (typeof line === "string" ? line : [line[0].join(", "), line[1]]));
  }

  function clusterNode(looked, cluster, place) {
    const scores = looked.s[scorer], values = scores ? cluster.m.map((i) => scores[i]).filter((v) => v != null).map((v) => v / 1000) : [];
    const chosenBy = pool.strategies.filter((name) => choice(looked, name) === place);
    const kind = cluster.ok === undefined ? "ungraded" : cluster.ok ? "correct" : "incorrect";
    const facts = [`${plural(cluster.m.length, "vote")} of ${count(looked.n)}`, values.length && `summed score ${d3.sum(values).toFixed(2)}`, values.length && `best ${d3.max(values).toFixed(3)}`, values.length && `mean ${d3.mean(values).toFixed(3)}`].filter(Boolean).join(" · ");
    return el("article", { class: `cluster ${kind}` },
      el("header", {}, el("span", { class: "answer" }, answerNode(cluster.a)), cluster.ok === undefined ? "" : el("span", { class: cluster.ok ? "right" : "wrong" }, cluster.ok ? "✓ correct" : "✗ wrong"), el("span", { class: "soft small" }, facts)),
      el("span", { class: "share", style: `width:${(100 * cluster.m.length) / looked.n}%` }),
      el("div", {}, ...chosenBy.map((name) => el("span", { class: "tag", title: CHARTS.meanings[name] ?? "" }, name))),
      reasons(cluster), members(looked, cluster, scores));
  }

  function reasons(cluster) {
    if (!cluster.f && !cluster.g) return null;
    return el("details", {}, el("summary", {}, cluster.f ? `Written in ${count(cluster.w + 1)} ways: why they were merged` : "Why it is graded so"),
      el("ul", { class: "plain" },
        cluster.g ? el("li", {}, "Against the reference: ", ...textNodes(cluster.g), ".") : null,
        ...(cluster.f ?? []).map(([form, rule, number]) => el("li", {}, el("code", {}, ...textNodes(form)), ` × ${count(number)}: `, ...textNodes(rule))),
        cluster.f && cluster.w > cluster.f.length ? el("li", {}, `and ${plural(cluster.w - cluster.f.length, "other form")}`) : null));
  }

  function members(looked, cluster, scores) {
    const folded = el("details", {}, el("summary", {}, plural(cluster.m.length, "member")));
    folded.addEventListener("toggle", () => folded.open && folded.children.length < 2 && folded.append(...cluster.m.map((index) => member(looked, index, scores))));
    return folded;
  }

  function member(looked, index, scores) {
    const text = looked.t[index], facts = [`candidate ${index}`, scores?.[index] != null && `score ${(scores[index] / 1000).toFixed(3)}`, looked.k[index] && plural(looked.k[index], "token"), looked.x.includes(index) && "cut off"].filter(Boolean).join(" · ");
    if (text === undefined) return el("div", { class: "member soft small" }, `${facts} · its text is not in this page`);
    const folded = el("details", { class: "member" }, el("summary", {}, facts));
    folded.addEventListener("toggle", () => folded.open && folded.children.length < 2 && folded.append(el("div", { class: "solution" }, ...mathText(text))));
    return folded;
  }

  function unanswered(looked) {
    const answered = new Set(looked.c.flatMap((c) => c.m));
    const rest = Object.keys(looked.t).map(Number).filter((i) => !answered.has(i));
    const missing = looked.n - answered.size;
    if (!missing) return null;
    return el("details", { class: "cluster ungraded" }, el("summary", {}, `${plural(missing, "candidate")} without an answer`), ...rest.map((index) => member(looked, index, looked.s[scorer])));
  }

  options(byId("pool"), data.pools.map((p, place) => [String(place), `${plain(p.name)} (${count(p.problems.length)})`]), "0");
  byId("pool").parentElement.hidden = data.pools.length < 2;
  byId("pool").addEventListener("change", (event) => { pool = data.pools[+event.target.value]; scorer = pool.scorers.includes(scorer) ? scorer : pool.scorers[0]; if (!PRESETS[preset][2]()) preset = "all"; choosePool(); });
  byId("scorer").addEventListener("change", (event) => { scorer = event.target.value; choosePool(); });
  for (const id of ["first", "first-is", "second", "second-is"]) byId(id).addEventListener("change", refresh);
  byId("search").addEventListener("input", refresh);
  byId("search").addEventListener("keydown", (event) => { if (event.key === "ArrowDown" || event.key === "Enter") { event.preventDefault(); byId("problems").focus(); } });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    byId("search").scrollIntoView({ block: "center" });
    byId("search").focus();
  });
  choosePool();
}
