// The pieces that all explorers share. `LOOK`, the design tokens, stands in front of this file.

const SVG = "http://www.w3.org/2000/svg";
const CELL = 26;
const MARGIN = { left: 84, top: 108, right: 52, bottom: 8 };

/** An HTML element with attributes and children; `on…` attributes are listeners. */
function html(name, attributes = {}, ...children) {
  return furnish(document.createElement(name), attributes, children);
}

/** The same for SVG. */
function svg(name, attributes = {}, ...children) {
  return furnish(document.createElementNS(SVG, name), attributes, children);
}

function furnish(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/** Give an element a class, but only where that changes something: the browser draws anew whatever is set. */
function setClass(element, name) {
  if (element.getAttribute("class") !== name) element.setAttribute("class", name);
}

/** The same for the text of an element. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A token as its chip shows it: each space visible, nothing left blank. */
function tokenLabel(token) {
  return token.replaceAll(" ", "␣").replaceAll("\n", "↵") || "∅";
}

/** A weight between 0 and 1 in two decimals, as all pictures print it. */
function twoDecimals(weight) {
  return weight.toFixed(2);
}

/** The class that colours a weight between 0 and 1. */
function weightClass(weight) {
  return `weights-${rampStep(weight)}`;
}

/** The class that colours a signed number: the ramp's middle is 0, its ends are -range and range. */
function signedClass(number, range) {
  return `signed-${rampStep(0.5 + number / (2 * range || 1))}`;
}

function rampStep(share) {
  return Math.round(Math.min(1, Math.max(0, share)) * 20);
}

/** Make `root` an explorer: its look, and its keys kept from the notebook except those that leave it. */
function prepare(root, name) {
  root.classList.add("course-explorer");
  root.dataset.lmSuppressShortcuts = "true";
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", name);
  root.addEventListener("keydown", (event) => {
    const leaves = event.key === "Tab" || event.key === "Escape" || (event.key === "Enter" && event.shiftKey);
    if (!leaves) event.stopPropagation();
  });
}

/** A line of live text that a screen reader speaks when it changes, at most every 300 ms. */
function statusLine() {
  const line = html("p", { role: "status", class: "status" });
  let waiting;
  line.say = (sentence) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => (line.textContent = sentence), line.textContent ? 300 : 0);
  };
  return line;
}

/** The numbers behind a picture, as a table that opens on request: one row a query, one column a key; `show` fills it. */
function numbersTable(rows, columns, caption) {
  const cells = rows.map(() => columns.map(() => html("td")));
  const head = html("tr", {}, html("td"), ...columns.map((token) => html("th", { scope: "col" }, tokenLabel(token))));
  const body = rows.map((token, i) => html("tr", {}, html("th", { scope: "row" }, tokenLabel(token)), ...cells[i]));
  const table = html("table", {}, html("caption", {}, caption), html("thead", {}, head), html("tbody", {}, ...body));
  const show = (weights) => weights.forEach((row, i) => row.forEach((w, j) => setText(cells[i][j], twoDecimals(w))));
  return { element: html("details", {}, html("summary", {}, "Show numbers"), table), show };
}

/** The class of a token's chip; special tokens, such as [CLS], have a double border. */
function chipClass(token, role) {
  return `chip ${role}${/^\[.+\]$/.test(token) ? " special" : ""}`;
}

/** A row of token chips that is a group of native radio buttons: arrows move, the chosen one is outlined. */
function chipChooser(name, legend, tokens, role, chosen, choose) {
  const chips = tokens.map((token, i) => {
    const input = html("input", { type: "radio", name, value: i, checked: i === chosen, onchange: () => choose(i) });
    return html("label", { class: chipClass(token, role), "data-index": i }, input, html("span", {}, tokenLabel(token)));
  });
  const shown = html("span", { class: "legend", "aria-hidden": "true" }, legend);
  return html("div", { class: "chips", role: "radiogroup", "aria-label": legend }, ...chips, shown);
}

/** A row of token chips to read only. */
function chipRow(legend, tokens, role) {
  const chips = tokens.map((token, i) =>
    html("span", { class: chipClass(token, role), "data-index": i }, html("span", {}, tokenLabel(token))),
  );
  return html("div", { class: "chips", role: "group", "aria-label": legend }, html("span", { class: "legend" }, legend), ...chips);
}

function sum(numbers) {
  return numbers.reduce((total, x) => total + x, 0);
}

/** Let a select offer 0, 1, 2 …, or these words. */
function fill(select, choices) {
  const words = typeof choices === "number" ? Array.from({ length: choices }, (_, i) => String(i)) : choices;
  select.replaceChildren(...words.map((word, i) => html("option", { value: i }, word)));
}

/** One decimal, and no minus before a zero. */
function oneDecimal(x) {
  return x.toFixed(1).replace("-0.0", "0.0").replace("-", "−");
}

function short(token) {
  const label = tokenLabel(token);
  return label.length > 10 ? `${label.slice(0, 9)}…` : label;
}

/** One matrix: rows ask, columns are read. `show` fills it, and `frame` frames a row, the same in every matrix. */
function grid(title, lookup, { digits, sums, choose }) {
  const width = MARGIN.left + lookup.keys.length * CELL + MARGIN.right;
  const height = MARGIN.top + lookup.queries.length * CELL + MARGIN.bottom;
  const hit = (event) => {
    const box = picture.getBoundingClientRect();
    const row = Math.floor(((event.clientY - box.top) * (height / box.height) - MARGIN.top) / CELL);
    if (row >= 0 && row < lookup.queries.length) choose(row);
  };
  const cells = lookup.queries.map((_, i) =>
    lookup.keys.map((_, j) => {
      const place = { x: MARGIN.left + j * CELL, y: MARGIN.top + i * CELL };
      return svg("g", {},
        svg("rect", { ...place, width: CELL, height: CELL, class: "cell" }),
        svg("text", { x: place.x + CELL / 2, y: place.y + CELL / 2 + 3.5, class: "digit" }),
      );
    }),
  );
  const ends = lookup.queries.map((_, i) =>
    svg("text", { x: width - MARGIN.right + 4, y: MARGIN.top + i * CELL + CELL / 2 + 4, class: "small" }),
  );
  const under = svg("text", { x: MARGIN.left, y: 29, class: "small" });
  const band = svg("rect", { class: "band", x: MARGIN.left, width: lookup.keys.length * CELL, height: CELL });
  const caption = html("figcaption");
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true", onclick: hit, onmousemove: hit },
    svg("text", { x: MARGIN.left, y: 14, class: "title" }, title),
    under,
    svg("text", { x: 4, y: MARGIN.top - 6, class: "small" }, "query ▸  key ▾"),
    ...lookup.keys.map((token, j) => {
      const x = MARGIN.left + j * CELL + CELL / 2 + 4;
      return svg("text", { x, y: MARGIN.top - 6, transform: `rotate(-50 ${x} ${MARGIN.top - 6})`, class: "label" }, short(token));
    }),
    ...lookup.queries.map((token, i) => svg("text", { x: MARGIN.left - 6, y: MARGIN.top + i * CELL + CELL / 2 + 4, class: "label end" }, short(token))),
    ...cells.flat(),
    ...ends,
    band,
  );

  function show(table, { subtitle, note, colour, isHidden = () => false }) {
    under.textContent = subtitle;
    caption.textContent = note;
    for (const [i, row] of table.entries()) {
      for (const [j, x] of row.entries()) {
        const hidden = isHidden(i, j);
        setClass(cells[i][j], hidden ? "masked" : colour(x));
        setText(cells[i][j].lastChild, hidden ? "·" : digits(x));
      }
      if (sums) setText(ends[i], `Σ=${sum(row).toFixed(2)}`);
    }
  }

  const frame = (row) => band.setAttribute("y", MARGIN.top + row * CELL);
  return { element: html("figure", {}, picture, caption), show, frame };
}

/** A native slider with its label and its value in words; `show` sets both. */
function slider(label, { min, max, step = 1 }, change) {
  const id = `slider-${Math.random().toString(36).slice(2)}`;
  const input = html("input", { id, type: "range", min, max, step, oninput: () => change(Number(input.value)) });
  const output = html("output", { "aria-live": "off" }); // the slider speaks for itself
  const show = (value, words) => {
    input.value = value;
    setText(output, words);
    input.setAttribute("aria-valuetext", words);
  };
  return { element: html("label", { for: id }, `${label} `, output, input), input, show };
}

/** Curves in a frame with both axes named: `series` is name → points [x, y]; a point without a y is left out. */
function curves({ width, height, x, y, series }) {
  const left = 64, bottom = 40, top = 12, right = 12;
  const at = ([a, b]) => {
    const across = left + ((a - x.min) / (x.max - x.min || 1)) * (width - left - right);
    const up = top + (1 - (b - y.min) / (y.max - y.min || 1)) * (height - top - bottom);
    return `${across.toFixed(1)},${up.toFixed(1)}`;
  };
  const styles = LOOK.lines;
  const ends = []; // of the lines, where their names stand, pushed apart
  const lines = Object.entries(series).flatMap(([name, points], i) => {
    const drawn = points.filter(([, b]) => Number.isFinite(b));
    const style = styles[i % styles.length];
    const line = svg("polyline", { points: drawn.map(at).join(" "), class: "curve", stroke: `var(--${style.colour.replaceAll("_", "-")})`, "stroke-dasharray": (style.dash ?? []).join(" ") || undefined });
    if (!drawn.length) return [line];
    const [ax, ay] = at(drawn.at(-1)).split(",").map(Number);
    ends.push({ name, x: ax - 4, y: ay - 5 });
    return [line];
  });
  ends.sort((one, other) => other.y - one.y);
  ends.forEach((end, i) => (end.y = i ? Math.min(end.y, ends[i - 1].y - 13) : end.y));
  const over = ends.length ? Math.max(0, 10 - ends.at(-1).y) : 0; // none above the frame
  ends.forEach((end) => (end.y += over));
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" },
    svg("line", { x1: left, x2: width - right, y1: height - bottom, y2: height - bottom, class: "axis" }),
    svg("line", { x1: left, x2: left, y1: top, y2: height - bottom, class: "axis" }),
    ...x.ticks.map((tick) => svg("text", { x: at([tick, y.min]).split(",")[0], y: height - bottom + 14, class: "small middle" }, String(tick))),
    ...y.ticks.map(([tick, words]) => svg("text", { x: left - 6, y: Number(at([x.min, tick]).split(",")[1]) + 4, class: "small end" }, words)),
    svg("text", { x: (left + width) / 2, y: height - 6, class: "small middle" }, x.name),
    svg("text", { x: 12, y: height / 2, class: "small middle", transform: `rotate(-90 12 ${height / 2})` }, y.name),
    ...(x.cursor === undefined ? [] : [svg("polyline", { points: `${at([x.cursor, y.min])} ${at([x.cursor, y.max])}`, class: "cursor" })]),
    ...lines,
    ...ends.map(({ name, x: across, y: up }) => svg("text", { x: across, y: up, class: "small end" }, name)),
  );
}
