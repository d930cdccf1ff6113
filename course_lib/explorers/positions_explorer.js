// Positions as clocks: the table, the hands at one position, and dot products by offset. The kernel sends the table.

const SIZE = 11;
const CLOCKS = 4;
const SHORTEST = 8;
const BEGIN = { position: 5, offset: 3, clock: 0 };

function render({ model, el }) {
  prepare(el, "Positions explorer: clocks, and dot products by offset");
  const whole = model.get("table");
  const width = whole[0].length;
  let state = { ...BEGIN, length: whole.length };
  const longest = slider("Length", { min: Math.min(SHORTEST, whole.length), max: whole.length }, (length) => pick({ length }));
  const position = slider("Position", { min: 0, max: whole.length - 1 }, (p) => pick({ position: p }));
  const offset = slider("Offset to another", { min: 1 - whole.length, max: whole.length - 1 }, (o) => pick({ offset: o }));
  const clock = html("select", { onchange: () => pick({ clock: Number(clock.value) }) });
  fill(clock, Array.from({ length: width / 2 - CLOCKS + 1 }, (_, i) => `${i} to ${i + CLOCKS - 1}`));
  const controls = html("div", { class: "controls" }, longest.element, position.element, offset.element, html("label", {}, "Clocks, fast to slow", clock));
  const place = html("div");
  const hands = html("figure");
  const products = html("figure");
  const status = statusLine();
  const numbers = html("tbody");
  const head = html("tr", {}, ...["offset", "dot product"].map((word) => html("th", { scope: "col" }, word)));
  const details = html("details", {}, html("summary", {}, "Show numbers"), html("table", {}, html("thead", {}, head), numbers));
  el.replaceChildren(controls, html("div", { class: "grids" }, place, html("div", {}, hands, products)), status, details);
  el.addEventListener("keydown", (event) => {
    if (event.key === "[") pick({ offset: state.offset - 1 });
    else if (event.key === "]") pick({ offset: state.offset + 1 });
    else if (event.key.toLowerCase() === "r" && !event.ctrlKey && !event.metaKey) pick({ ...BEGIN, length: whole.length });
    else if (event.key === "Escape") position.input.focus();
  });
  let table, grid;
  pick({ length: whole.length });

  function pick(change) {
    state = { ...state, ...change };
    if ("length" in change) {
      table = whole.slice(0, state.length);
      grid = heatMap(table);
      place.replaceChildren(grid.element);
    }
    const length = state.length;
    longest.show(length, `${length} positions`);
    state.position = Math.min(length - 1, Math.max(0, state.position));
    // The other position stays inside the table.
    state.offset = Math.min(length - 1 - state.position, Math.max(-state.position, state.offset));
    const { position: p, offset: o } = state;
    position.show(p, `${p}`);
    offset.show(o, `${o}, which is position ${p + o}`);
    clock.value = state.clock;
    grid.frame(p, p + o);
    hands.replaceChildren(clocks(table[p], state.clock), html("figcaption", {}, `the hands of four clocks at position ${p}`));
    const points = table.map((row, q) => [q - p, dot(row, table[p])]);
    const most = dot(table[p], table[p]);
    const low = Math.min(...points.map(([, y]) => y));
    products.replaceChildren(
      curves({
        width: 360, height: 240,
        x: { name: "offset", min: -p, max: length - 1 - p, ticks: [-p, 0, length - 1 - p], cursor: o },
        y: { name: "dot product", min: low, max: most, ticks: [[low, oneDecimal(low)], [most, oneDecimal(most)]] },
        series: { [`position ${p}`]: points },
      }),
      html("figcaption", {}, "the dot product of this position with all others"),
    );
    numbers.replaceChildren(...points.map(([d, y]) => html("tr", {}, html("th", { scope: "row" }, String(d)), html("td", {}, y.toFixed(2)))));
    status.say(`Positions ${p} and ${p + o}: dot product ${dot(table[p], table[p + o]).toFixed(2)}. Move the position, and it stays: only the offset ${o} counts.`);
  }
}

function dot(one, other) {
  return one.reduce((total, x, i) => total + x * other[i], 0);
}

/** The table as cells: rows are positions, columns features; two rows can be framed. */
function heatMap(table) {
  const width = table[0].length * SIZE + 40;
  const height = table.length * SIZE + 34;
  const cells = table.flatMap((row, i) => row.map((x, j) => svg("g", { class: signedClass(x, 1) }, svg("rect", { class: "cell", x: 34 + j * SIZE, y: 20 + i * SIZE, width: SIZE, height: SIZE }))));
  const band = (name) => svg("rect", { class: name, x: 34, width: table[0].length * SIZE, height: SIZE });
  const [here, there] = [band("band"), band("band other")];
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" },
    svg("text", { x: 34, y: 13, class: "small" }, "features, fast clocks first"),
    svg("text", { x: 12, y: height / 2, class: "small middle", transform: `rotate(-90 12 ${height / 2})` }, "position"),
    ...cells, here, there,
  );
  const frame = (p, q) => {
    here.setAttribute("y", 20 + p * SIZE);
    there.setAttribute("y", 20 + q * SIZE);
  };
  return { element: html("figure", {}, picture, html("figcaption", {}, "colours from −1 to 1")), frame };
}

/** The hands of four clocks: each pair of features is the tip of one, (sine, cosine). */
function clocks(row, first) {
  const faces = Array.from({ length: CLOCKS }, (_, i) => {
    const x = 50 + i * 84;
    const [sine, cosine] = [row[2 * (first + i)], row[2 * (first + i) + 1]];
    return [
      svg("circle", { class: "clock", cx: x, cy: 56, r: 34 }),
      svg("line", { class: "hand", x1: x, y1: 56, x2: x + 32 * sine, y2: 56 - 32 * cosine }),
      svg("text", { x, y: 108, class: "small middle" }, `clock ${first + i}`),
    ];
  });
  return svg("svg", { viewBox: "0 0 352 120", width: 352, height: 120, "aria-hidden": "true" }, ...faces.flat());
}

export default { render };
