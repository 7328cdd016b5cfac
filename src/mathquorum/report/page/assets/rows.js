// A list that draws only the rows in sight, so that thousands cost nothing. Arrow keys move the choice.

const ROW = 58;

function rowList(host, drawRow, chosen) {
  let items = [], place = -1, first = -1, last = -1;
  const inner = el("div", { role: "presentation" });
  host.replaceChildren(inner);
  const draw = (force) => {
    const from = Math.max(0, Math.floor(host.scrollTop / ROW) - 4), to = Math.min(items.length, from + Math.ceil(host.clientHeight / ROW) + 9);
    if (!force && from === first && to === last) return;
    [first, last] = [from, to];
    inner.replaceChildren(...items.slice(from, to).map((item, offset) => {
      const row = el("div", {
        class: "row", role: "option", id: `row-${from + offset}`, style: `top:${(from + offset) * ROW}px`,
        "aria-selected": String(from + offset === place), "aria-posinset": from + offset + 1, "aria-setsize": items.length,
        onclick: () => choose(from + offset),
      });
      row.append(...drawRow(item));
      return row;
    }));
  };
  const choose = (next) => {
    if (!items.length) return;
    place = Math.max(0, Math.min(items.length - 1, next));
    if (place * ROW < host.scrollTop) host.scrollTop = place * ROW;
    if ((place + 1) * ROW > host.scrollTop + host.clientHeight) host.scrollTop = (place + 1) * ROW - host.clientHeight;
    draw(true);
    host.setAttribute("aria-activedescendant", `row-${place}`);
    chosen(items[place]);
  };
  host.addEventListener("scroll", () => draw(false), { passive: true });
  new ResizeObserver(() => draw(true)).observe(host);
  host.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: 8, PageUp: -8, Home: -items.length, End: items.length }[event.key];
    if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    choose(place + step);
  });
  return {
    show(found) {
      items = found;
      place = -1;
      host.scrollTop = 0;
      inner.style.height = `${items.length * ROW}px`;
      draw(true);
      if (items.length) choose(0);
      else chosen(null);
    },
    move: (step) => choose(place + step),
  };
}
