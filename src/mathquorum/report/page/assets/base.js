// Elements, texts and numbers. Texts from files become text nodes, never HTML.

const byId = (id) => document.getElementById(id);

function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child != null && child !== ""));
  return made;
}

// What would be unseen, or would turn the text around: written out.
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/;

function shown(character) {
  const code = character.charCodeAt(0);
  return code < 256 ? "\\x" + code.toString(16).padStart(2, "0") : "\\u" + code.toString(16).padStart(4, "0");
}

// A text as nodes: control characters stand out.
function textNodes(text) {
  const nodes = [];
  for (const part of String(text).split(new RegExp(`(${UNSEEN.source})`))) {
    if (!part) continue;
    nodes.push(part.length === 1 && UNSEEN.test(part) ? el("span", { class: "control" }, shown(part)) : document.createTextNode(part));
  }
  return nodes;
}

const plain = (text) => String(text).replace(new RegExp(UNSEEN.source, "g"), shown);
const percent = (share) => (100 * share).toFixed(1);
const count = (number) => number.toLocaleString("en-US");
const plural = (number, word) => `${count(number)} ${word}${number === 1 ? "" : "s"}`;

function options(select, values, chosen) {
  select.replaceChildren(...values.map(([value, text]) => el("option", { value, selected: value === chosen }, text)));
}

async function unpacked(id) {
  const packed = byId(id)?.textContent.trim();
  if (!packed) return null;
  const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}
