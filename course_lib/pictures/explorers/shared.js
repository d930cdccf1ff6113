// What all explorers share. `LOOK`, the content of look.json, is put in front of this file, and the explorer's own
// script after it.

const SVG = "http://www.w3.org/2000/svg";
const CELL = 26;
const DIGITS = 16; // up to this many rows, each cell prints its number: more could not be read, nor drawn in time
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

/** Give an element a class, but only where that changes something: the browser redraws whatever is set. */
function setClass(element, name) {
  if (element.getAttribute("class") !== name) element.setAttribute("class", name);
}

/** The same for the text of an element that has no other children. */
function setText(element, text) {
  const node = element.firstChild;
  if (!node) element.textContent = text;
  else if (node.data !== text) node.data = text; // faster than a new node
}

/** The same for any attributes. */
function setAttributes(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
  }
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

/** Make `root` an explorer: give it its look, and hide its keys from the notebook, except those that leave it. */
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

/** The keys that all explorers share: [ and ] step, R resets, Escape goes to the first control. */
function stepKeys(root, { step, reset, first }) {
  root.addEventListener("keydown", (event) => {
    if (event.target.type === "text") return;
    if (event.key === "[") step(-1);
    else if (event.key === "]") step(1);
    else if (event.key.toLowerCase() === "r" && !event.ctrlKey && !event.metaKey) reset();
    else if (event.key === "Escape") first.focus();
  });
}

/** Let an explorer ask first, if the kernel sends a question: its picture appears once the learner has guessed. */
function guessFirst(render) {
  return ({ model, el }) => {
    const stop = render({ model, el });
    const { question, replies } = model.get("guess") ?? {};
    if (!question) return stop;
    const name = `guess-${Math.random().toString(36).slice(2)}`;
    const picture = html("div", { hidden: true }, ...el.childNodes);
    const reply = html("p", { "aria-live": "polite", class: "reply" }, "Any answer shows the picture.");
    const choose = (words) => {
      setText(reply, words);
      picture.hidden = false;
    };
    const choices = Object.entries(replies).map(([answer, words]) =>
      html("label", { class: "inline" }, html("input", { type: "radio", name, onchange: () => choose(words) }), answer),
    );
    const legend = html("legend", {}, `Guess first: ${question}`);
    el.replaceChildren(html("fieldset", { class: "controls guess" }, legend, ...choices, reply), picture);
    return stop;
  };
}

/** A box to type into and a button, which sends what was typed to the kernel under this name. */
function textForm(model, name, label, button) {
  const input = html("input", { type: "text", value: model.get(name), autocomplete: "off", spellcheck: "false" });
  const send = (event) => {
    event.preventDefault();
    model.set(name, input.value);
    model.save_changes();
  };
  const form = html("form", { onsubmit: send }, html("label", {}, label, input), html("button", {}, button));
  return { form, input };
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

/**
 * The numbers behind a picture, as a table that opens on request: a row for each query, a column for each key. `show`
 * fills it, once it is open. `digits` prints the number in row i and column j, `label` the name of a row or column.
 */
function numbersTable(rows, columns, caption, { digits = twoDecimals, label = tokenLabel } = {}) {
  const cells = rows.map(() => columns.map(() => html("td")));
  const head = html("tr", {}, html("td"), ...columns.map((name) => html("th", { scope: "col" }, label(name))));
  const body = rows.map((name, i) => html("tr", {}, html("th", { scope: "row" }, label(name)), ...cells[i]));
  const title = html("caption", {}, caption);
  const table = html("table", {}, title, html("thead", {}, head), html("tbody", {}, ...body));
  const element = html("details", { ontoggle: print }, html("summary", {}, "Show numbers"), table);
  let numbers = [];
  const show = (latest) => {
    numbers = latest;
    print();
  };

  function print() {
    if (element.open) numbers.forEach((row, i) => cells[i].forEach((cell, j) => setText(cell, digits(row[j], i, j))));
  }

  return { element, show };
}

/** Replace a table by another, which is open if the former was. */
function putTable(place, { element }) {
  element.open = Boolean(place.querySelector("details")?.open);
  place.replaceChildren(element);
}

/** The class of a token's chip; special tokens, such as [CLS], have a double border. */
function chipClass(token, role) {
  return `chip ${role}${/^\[.+\]$/.test(token) ? " special" : ""}`;
}

/** A row of token chips that is a group of native radio buttons: arrows move, the chosen one is outlined. */
function chipChooser(name, legend, tokens, role, chosen, choose) {
  const chips = tokens.map((token, i) => {
    const input = html("input", { type: "radio", name, value: i, checked: i === chosen, onchange: () => choose(i) });
    const attributes = { class: chipClass(token, role), "data-index": i };
    return html("label", attributes, input, html("span", {}, tokenLabel(token)));
  });
  const shown = html("span", { class: "legend", "aria-hidden": "true" }, legend);
  return html("div", { class: "chips", role: "radiogroup", "aria-label": legend }, ...chips, shown);
}

/** A row of token chips to read only. */
function chipRow(legend, tokens, role) {
  const chips = tokens.map((token, i) =>
    html("span", { class: chipClass(token, role), "data-index": i }, html("span", {}, tokenLabel(token))),
  );
  const shown = html("span", { class: "legend" }, legend);
  return html("div", { class: "chips", role: "group", "aria-label": legend }, shown, ...chips);
}

/** The row whose weights spread most widely, with the highest entropy: the most interesting one to start with. */
function widest(weights) {
  const entropies = weights.map((row) => sum(row.map((w) => (w > 0 ? -w * Math.log(w) : 0))));
  return entropies.indexOf(Math.max(...entropies));
}

function sum(numbers) {
  return numbers.reduce((total, x) => total + x, 0);
}

/** Let a select offer the numbers 0, 1, 2 …, or these words. */
function fill(select, choices) {
  const words = typeof choices === "number" ? Array.from({ length: choices }, (_, i) => String(i)) : choices;
  select.replaceChildren(...words.map((word, i) => html("option", { value: i }, word)));
}

/** One decimal, without a minus sign in front of a zero. */
function oneDecimal(x) {
  return x.toFixed(1).replace("-0.0", "0.0").replace("-", "−");
}

function short(token) {
  const label = tokenLabel(token);
  return label.length > 10 ? `${label.slice(0, 9)}…` : label;
}

/** A picture of this size. Screen readers skip it, since the same is said in words beside it. */
function drawing(width, height, attributes, ...children) {
  const frame = { viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" };
  return svg("svg", { ...frame, ...attributes }, ...children);
}

/**
 * One matrix: rows ask, columns are read. `show` fills it, and `frame` frames a row, the same in every matrix. A large
 * one prints the numbers of the framed row only.
 */
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
      const corner = { x: MARGIN.left + j * CELL, y: MARGIN.top + i * CELL };
      return svg("g", {},
        svg("rect", { ...corner, width: CELL, height: CELL, class: "cell" }),
        svg("text", { x: corner.x + CELL / 2, y: corner.y + CELL / 2 + 3.5, class: "digit" }),
      );
    }),
  );
  const ends = lookup.queries.map((_, i) =>
    svg("text", { x: width - MARGIN.right + 4, y: MARGIN.top + i * CELL + CELL / 2 + 4, class: "small" }),
  );
  const under = svg("text", { x: MARGIN.left, y: 29, class: "small" });
  const band = svg("rect", { class: "band", x: MARGIN.left, width: lookup.keys.length * CELL, height: CELL });
  const caption = html("figcaption");
  const columnNames = lookup.keys.map((token, j) => {
    const [x, y] = [MARGIN.left + j * CELL + CELL / 2 + 4, MARGIN.top - 6];
    return svg("text", { x, y, transform: `rotate(-50 ${x} ${y})`, class: "label" }, short(token));
  });
  const rowNames = lookup.queries.map((token, i) => {
    const y = MARGIN.top + i * CELL + CELL / 2 + 4;
    return svg("text", { x: MARGIN.left - 6, y, class: "label end" }, short(token));
  });
  const picture = drawing(width, height, { onclick: hit, onmousemove: hit },
    svg("text", { x: MARGIN.left, y: 14, class: "title" }, title),
    under,
    svg("text", { x: 4, y: MARGIN.top - 6, class: "small" }, "query ▸  key ▾"),
    ...columnNames,
    ...rowNames,
    ...cells.flat(),
    ...ends,
    band,
  );

  const printsAll = lookup.queries.length <= DIGITS;
  let framed = 0;
  let words = () => ""; // what cell (i, j) prints

  function show(table, { subtitle, note, colour, isHidden = () => false }) {
    under.textContent = subtitle;
    caption.textContent = printsAll ? note : `${note}; numbers in the framed row`;
    words = (i, j) => (isHidden(i, j) ? "·" : digits(table[i][j]));
    for (const [i, row] of table.entries()) {
      for (const [j, x] of row.entries()) setClass(cells[i][j], isHidden(i, j) ? "masked" : colour(x));
      if (printsAll) print(i);
      if (sums) setText(ends[i], `Σ=${sum(row).toFixed(2)}`);
    }
    if (!printsAll) print(framed);
  }

  function print(i) {
    for (const [j, cell] of cells[i].entries()) setText(cell.lastChild, words(i, j));
  }

  function frame(row) {
    band.setAttribute("y", MARGIN.top + row * CELL);
    if (!printsAll && row !== framed) {
      for (const cell of cells[framed]) setText(cell.lastChild, "");
      print(row);
    }
    framed = row;
  }

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

/**
 * Curves in a frame with both axes named. Each of `series` has points [x, y], a line style and perhaps a name, which is
 * written beside the line's end; a point without a y leaves a gap. `moveCursor` moves the line that marks one x.
 */
function curves({ width, height, x, y, series }) {
  const [left, bottom, top, letter, sample, line] = [64, 40, 12, 6, 20, 13];
  const names = series.filter(({ name }) => name);
  const right = 12 + Math.max(0, ...names.map(({ name }) => sample + letter * name.length));
  const across = (a) => left + ((a - x.min) / (x.max - x.min || 1)) * (width - left - right);
  const up = (b) => top + (1 - (b - y.min) / (y.max - y.min || 1)) * (height - top - bottom);
  const pathOf = (points) =>
    points.map(([a, b], i) => {
      if (!Number.isFinite(b)) return "";
      const point = `${across(a).toFixed(1)} ${up(b).toFixed(1)}`;
      return Number.isFinite(points[i - 1]?.[1]) ? `L${point}` : `M${point}l0 0`; // a point between gaps is a dot
    });
  const paths = series.map(({ points, style }) => svg("path", { d: pathOf(points).join(""), ...strokeOf(style) }));
  const ends = names.flatMap(({ name, points, style }) => {
    const last = points.findLast(([, b]) => Number.isFinite(b));
    return last ? [{ name, style, x: across(last[0]) + 6, y: up(last[1]) }] : [];
  });
  apart(ends, line, top, height - bottom);
  const cursor = svg("line", { class: "cursor", y1: top, y2: height - bottom });
  const [center, half] = [(left + width - right) / 2, (top + height - bottom) / 2];
  const tickAt = (tick) =>
    svg("text", { x: across(tick), y: height - bottom + 14, class: "small middle" }, minus(tick));
  const sideways = { x: 12, y: half, class: "small middle", transform: `rotate(-90 12 ${half})` };
  const picture = drawing(width, height, {},
    svg("line", { x1: left, x2: width - right, y1: height - bottom, y2: height - bottom, class: "axis" }),
    svg("line", { x1: left, x2: left, y1: top, y2: height - bottom, class: "axis" }),
    ...x.ticks.map(tickAt),
    ...y.ticks.map(([tick, words]) => svg("text", { x: left - 6, y: up(tick) + 4, class: "small end" }, words)),
    svg("text", { x: center, y: height - 6, class: "small middle" }, x.name),
    svg("text", sideways, y.name),
    ...(x.cursor === undefined ? [] : [cursor]),
    ...paths,
    ...ends.flatMap((end) => [
      svg("path", { d: `M${end.x} ${end.y}h${sample - 6}`, ...strokeOf(end.style) }),
      svg("text", { x: end.x + sample - 3, y: end.y + 4, class: "name" }, end.name),
    ]),
  );
  const moveCursor = (a) => ["x1", "x2"].forEach((side) => cursor.setAttribute(side, across(a)));
  if (x.cursor !== undefined) moveCursor(x.cursor);
  return { element: picture, moveCursor };
}

/** Move names up and down until no two are closer than `least` and all are between top and bottom. */
function apart(ends, least, top, bottom) {
  ends.sort((one, other) => one.y - other.y);
  ends.forEach((end, i) => (end.y = Math.max(i ? ends[i - 1].y + least : top, end.y)));
  [...ends].reverse().forEach((end, i, upwards) => (end.y = Math.min(i ? upwards[i - 1].y - least : bottom, end.y)));
}

/** The stroke of one of the line styles that figures and explorers share. */
function strokeOf(style) {
  const { colour, width, dash } = LOOK.lines[style];
  const dashes = { "stroke-dasharray": dash.join(" ") || undefined };
  return { class: "curve", stroke: `var(--${colour})`, "stroke-width": width, ...dashes };
}

/** A whole number with a true minus sign. */
function minus(number) {
  return String(number).replace("-", "−");
}
