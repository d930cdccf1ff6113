// Positions as clocks: the table, the hands at two positions, and dot products by offset. The kernel sends the table.

const COLUMN = 11;
const TALL = 336; // of the whole table
const CLOCKS = 4;
const SHORTEST = 8;
const BEGIN = { position: 5, offset: 1, clock: 0, together: true };

function render({ model, el }) {
  prepare(el, "Positions explorer: clocks, and dot products by offset");
  const [whole, turns] = [model.get("table"), model.get("turns")];
  const begin = { ...BEGIN, length: whole.length };
  const lengths = { min: Math.min(SHORTEST, whole.length), max: whole.length };
  const longest = slider("Length", lengths, (length) => pick({ length }));
  const position = slider("Position", { min: 0, max: whole.length - 1 }, move);
  const offsets = { min: 1 - whole.length, max: whole.length - 1 };
  const offset = slider("Offset", offsets, (o) => pick({ offset: o }));
  const together = html("input", { type: "checkbox", onchange: () => pick({ together: together.checked }) });
  const clock = html("select", { onchange: () => pick({ clock: Number(clock.value) }) });
  fill(clock, Array.from({ length: turns.length - CLOCKS + 1 }, (_, i) => `${i} to ${i + CLOCKS - 1}`));
  const controls = html(
    "div",
    { class: "controls four" },
    longest.element,
    position.element,
    offset.element,
    html("label", { class: "inline" }, together, "move both together"),
    html("label", { class: "inline" }, "clocks", clock),
  );
  const place = html("div");
  const hands = html("figure");
  const products = html("figure");
  const status = statusLine();
  const numbers = html("tbody");
  const head = html("tr", {}, ...["offset", "dot product"].map((word) => html("th", { scope: "col" }, word)));
  const title = html("caption", {}, "The dot product of this position with all others");
  const allProducts = html("table", {}, title, html("thead", {}, head), numbers);
  const details = html("details", {}, html("summary", {}, "Show numbers"), allProducts);
  const beside = html("div", { class: "beside" }, hands, products);
  el.replaceChildren(controls, status, html("div", { class: "grids" }, beside, place), details);
  stepKeys(el, { step: (by) => pick({ offset: state.offset + by }), reset: () => pick(begin), first: longest.input });
  const all = whole.map((row) => dot(row, whole[0]));
  const range = { low: Math.min(...all), most: all[0] }; // the same for every position, so that the curve only slides
  let state, table, grid;
  pick(begin);

  /** Move both positions, or only the first: then the second stays, and the offset changes. */
  function move(to) {
    pick(state.together ? { position: to } : { position: to, offset: state.offset + state.position - to });
  }

  function pick(change) {
    const before = state;
    state = { ...state, ...change };
    if (state.length !== before?.length) {
      table = whole.slice(0, state.length);
      grid = heatMap(table);
      place.replaceChildren(grid.element);
    }
    stayInside("offset" in change || "length" in change);
    const { position: p, offset: o, length } = state;
    longest.show(length, `${length} positions`);
    position.show(p, String(p));
    offset.show(o, `${minus(o)}, to position ${p + o}`);
    together.checked = state.together;
    clock.value = state.clock;
    grid.frame(p, p + o);
    const both = `at position ${p} (solid) and ${p + o} (dashed); positions in one turn`;
    hands.replaceChildren(clocks(table[p], table[p + o], turns, state.clock), html("figcaption", {}, both));
    const points = table.map((row, q) => [q - p, dot(row, table[p])]);
    const heights = [range.low, range.most].map((product) => [product, oneDecimal(product)]);
    const chart = curves({
      width: 400, height: 190,
      x: { name: `offset from position ${p}`, ...offsets, ticks: [offsets.min, 0, offsets.max], cursor: o },
      y: { name: "dot product", min: range.low, max: range.most, ticks: heights },
      series: [{ points, style: 0 }],
    });
    const note = "this position with all others; the line marks the offset";
    products.replaceChildren(chart.element, html("figcaption", {}, note));
    const row = ([d, y]) => html("tr", {}, html("th", { scope: "row" }, minus(d)), html("td", {}, twoDecimals(y)));
    numbers.replaceChildren(...points.map(row));
    const product = twoDecimals(dot(table[p], table[p + o]));
    status.say(`Positions ${p} and ${p + o}, offset ${minus(o)}: dot product ${product}.${compared(before)}`);
  }

  /** Keep both positions in the table. Where the offset may not change, both stop when one is at the edge. */
  function stayInside(offsetMayChange) {
    const within = (x, least, most) => Math.min(most, Math.max(least, x));
    const last = state.length - 1;
    if (offsetMayChange) {
      state.position = within(state.position, 0, last);
      state.offset = within(state.offset, -state.position, last - state.position);
    } else state.position = within(state.position, Math.max(0, -state.offset), last - Math.max(0, state.offset));
  }

  /** How the dot product has changed since one of the positions moved, or both. */
  function compared(before) {
    if (!before || (before.position === state.position && before.offset === state.offset)) return "";
    if (before.offset === state.offset) return " Both moved, and it stayed: only the offset counts.";
    return ` At offset ${minus(before.offset)} it was ${twoDecimals(all[Math.abs(before.offset)])}.`;
  }
}

function dot(one, other) {
  return sum(one.map((x, i) => x * other[i]));
}

/** The table as cells: rows are positions, columns features; two rows can be framed. */
function heatMap(table) {
  const [left, top, features] = [50, 32, table[0].length];
  const ROW = Math.min(16, TALL / table.length);
  const width = left + features * COLUMN + 6;
  const height = top + table.length * ROW + 6;
  const cells = table.flatMap((row, i) =>
    row.map((number, j) => {
      const corner = { x: left + j * COLUMN, y: top + i * ROW };
      const cell = svg("rect", { class: "cell", ...corner, width: COLUMN, height: ROW });
      return svg("g", { class: signedClass(number, 1) }, cell);
    }),
  );
  const every = (count) => Array.from({ length: Math.ceil(count / 8) }, (_, i) => 8 * i);
  const band = (name) => svg("rect", { class: name, x: left - 3, width: features * COLUMN + 6, height: ROW + 4 });
  const [here, there] = [band("band"), band("band other")];
  const inMiddle = (j) => svg("text", { x: left + (j + 0.5) * COLUMN, y: top - 5, class: "small middle" }, j);
  const atLeft = (i) => svg("text", { x: left - 7, y: top + (i + 0.5) * ROW + 4, class: "small end" }, i);
  const picture = drawing(width, height, {},
    svg("text", { x: left, y: 12, class: "small" }, "feature, fast clocks first"),
    svg("text", { x: 12, y: height / 2, class: "small middle", transform: `rotate(-90 12 ${height / 2})` }, "position"),
    ...every(features).map(inMiddle),
    ...every(table.length).map(atLeft),
    ...cells, there, here,
  );
  const frame = (p, q) => {
    here.setAttribute("y", top + p * ROW - 2);
    there.setAttribute("y", top + q * ROW - 2);
  };
  const note = html("figcaption", {}, "colours from −1 to 1; framed: the two positions");
  return { element: html("figure", {}, picture, note), frame };
}

/** Four clocks with a hand for each position: a pair of features is the tip of one, (sine, cosine). */
function clocks(one, other, turns, first) {
  const faces = Array.from({ length: CLOCKS }, (_, i) => {
    const [x, pair] = [50 + i * 88, 2 * (first + i)];
    const hand = (row, name) => {
      const tip = { x2: x + 32 * row[pair], y2: 56 - 32 * row[pair + 1] };
      return svg("line", { class: name, x1: x, y1: 56, ...tip });
    };
    const turn = turns[first + i];
    return [
      svg("circle", { class: "clock", cx: x, cy: 56, r: 34 }),
      hand(one, "hand"),
      hand(other, "hand other"),
      svg("text", { x, y: 108, class: "small middle" }, `clock ${first + i}`),
      svg("text", { x, y: 122, class: "small middle" }, `${turn < 100 ? turn.toFixed(1) : Math.round(turn)} a turn`),
    ];
  });
  return drawing(372, 128, {}, ...faces.flat());
}

export default { render: guessFirst(render) };
