// LaTeX within texts, set by Temml as MathML, which the browser draws without fonts or styles of ours.

const MATH = /\$\$([\s\S]+?)\$\$|\\\[([\s\S]+?)\\\]|\\\(([\s\S]+?)\\\)|(?<![\\$\w])\$(?!\s)((?:[^$\\\n]|\\[\s\S]){1,400}?)(?<!\s)\$(?![\d$])/g;
const LONGEST = 1500; // characters of one formula
const SETTINGS = { throwOnError: true, trust: false, strict: false, maxExpand: 300, maxSize: [20, 20], annotate: false };

// The formula as MathML, or its source where it cannot be set.
function formula(source, display = false) {
  if (source.length <= LONGEST && !UNSEEN.test(source)) {
    const host = el("span");
    try {
      temml.render(source, host, { ...SETTINGS, displayMode: display });
      host.firstElementChild?.setAttribute("aria-label", source);
      return host;
    } catch { /* not LaTeX that Temml knows: its source is shown */ }
  }
  return el("code", {}, ...textNodes(source));
}

// A text with its formulas set.
function mathText(text) {
  const nodes = [];
  let end = 0;
  for (const found of text.matchAll(MATH)) {
    nodes.push(...textNodes(text.slice(end, found.index)));
    const [whole, ...groups] = found;
    const place = groups.findIndex((group) => group !== undefined);
    nodes.push(formula(groups[place], place < 2));
    end = found.index + whole.length;
  }
  return [...nodes, ...bareCommands(text.slice(end))];
}

// Outside of dollar signs: \boxed{...} and \frac{...}{...}, as models write them in running text.
const BARE = /\\(?:boxed|d?frac|tfrac|sqrt|text)\s*(?:\[[^\]\n]*\])?(?:\s*\{(?:[^{}\n]|\{(?:[^{}\n]|\{[^{}\n]*\})*\})*\}){1,2}/g;
function bareCommands(text) {
  const nodes = [];
  let end = 0;
  for (const found of text.matchAll(BARE)) {
    nodes.push(...textNodes(text.slice(end, found.index)), formula(found[0]));
    end = found.index + found[0].length;
  }
  return [...nodes, ...textNodes(text.slice(end))];
}

// A final answer: LaTeX where it looks like it, else text.
function answerNode(answer) {
  const bare = answer.replace(/^\$+|\$+$/g, "");
  if (bare.includes("$") || /\\[(\[]/.test(bare) || /[a-z]{3,} [a-z]{2,} [a-z]/i.test(bare)) return el("span", {}, ...mathText(answer));
  return /[\\^_{}]/.test(bare) ? formula(bare) : el("span", {}, ...textNodes(answer));
}
