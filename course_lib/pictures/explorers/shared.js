// What all explorers share. `LOOK`, the content of look.json, is put in front of this file, and the explorer's own
// script after it.

const SVG = "http://www.w3.org/2000/svg";
const CELL = 26;
const DIGITS = 16; // up to this many rows, each cell prints its number: more could not be read, nor drawn in time
const MARGIN = { left: 88, top: 92, right: 52, bottom: 8 };
const SPACE = 84; // between two sentences, for the lines of attention
const PATIENT = 5000; // ms without an answer before a panel says that its kernel may be gone

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

/** The labels of a sentence's tokens; those that occur more than once are numbered: the¹, the². */
function labelsOf(tokens) {
  const seen = {};
  return tokens.map((token) => {
    if (tokens.indexOf(token) === tokens.lastIndexOf(token)) return tokenLabel(token);
    seen[token] = (seen[token] ?? 0) + 1;
    return tokenLabel(token) + String(seen[token]).replace(/\d/g, (digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]);
  });
}

/** A weight between 0 and 1 in two decimals, as all pictures print it. */
function twoDecimals(weight) {
  return weight.toFixed(2);
}

/** A weight in a cell of a matrix, in three characters: ".25", and "1.0" for what is rounded to 1. */
function inCell(weight) {
  return twoDecimals(weight).replace(/^0/, "").replace("1.00", "1.0");
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
    const { question, replies, about } = model.get("guess") ?? {};
    if (!question) return stop;
    const name = `guess-${Math.random().toString(36).slice(2)}`;
    const picture = html("div", { hidden: true }, ...el.childNodes);
    const reply = html("p", { "aria-live": "polite", class: "reply" }, "Any answer shows the picture.");
    const choose = (words) => {
      setText(reply, words);
      picture.hidden = false;
      if (about) el.dispatchEvent(new CustomEvent("about", { detail: about }));
    };
    const choices = Object.entries(replies).map(([answer, words]) =>
      html("label", { class: "inline" }, html("input", { type: "radio", name, onchange: () => choose(words) }), answer),
    );
    const legend = html("legend", {}, `Guess first: ${question}`);
    el.replaceChildren(html("fieldset", { class: "controls guess" }, legend, ...choices, reply), picture);
    return stop;
  };
}

/**
 * A box to type into and a button, which sends what was typed to the kernel under this name. The kernel's answer
 * changes the value under the name `answer`; where none comes, `warn` is called with a sentence.
 */
function textForm(model, name, label, button, { answer, warn }) {
  const input = html("input", { type: "text", value: model.get(name), autocomplete: "off", spellcheck: "false" });
  const patience = waitFor(model, answer, warn);
  const send = (event) => {
    event.preventDefault();
    if (input.value === model.get(name)) return;
    model.set(name, input.value);
    model.save_changes();
    patience();
  };
  const form = html("form", { onsubmit: send }, html("label", {}, label, input), html("button", {}, button));
  return { form, input };
}

const NO_ANSWER =
  "No answer yet. If no other cell is running, this panel has lost its kernel, so run its cell again.";

/** A function to call once the kernel was asked: it warns if the value under the name `answer` does not change. */
function waitFor(model, answer, warn) {
  let waiting;
  model.on(`change:${answer}`, () => clearTimeout(waiting));
  return () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => warn(NO_ANSWER), PATIENT);
  };
}

/** A line beside a form for what cannot be done, which a screen reader speaks at once; it is hidden without words. */
function warningLine() {
  const line = html("p", { role: "alert", class: "warning", hidden: true });
  line.say = (words) => {
    line.hidden = !words;
    setText(line, words ?? "");
  };
  return line;
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
function numbersTable(rows, columns, caption, { digits = twoDecimals, labels = labelsOf } = {}) {
  const cells = rows.map(() => columns.map(() => html("td")));
  const head = html("tr", {}, html("td"), ...labels(columns).map((name) => html("th", { scope: "col" }, name)));
  const body = labels(rows).map((name, i) => html("tr", {}, html("th", { scope: "row" }, name), ...cells[i]));
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
  const chips = labelsOf(tokens).map((label, i) => {
    const input = html("input", { type: "radio", name, value: i, checked: i === chosen, onchange: () => choose(i) });
    return html("label", { class: chipClass(tokens[i], role), "data-index": i }, input, html("span", {}, label));
  });
  const shown = html("span", { class: "legend", "aria-hidden": "true" }, legend);
  return html("div", { class: "chips", role: "radiogroup", "aria-label": legend }, ...chips, shown);
}

/** A row of token chips to read only. */
function chipRow(legend, tokens, role) {
  const chips = labelsOf(tokens).map((label, i) =>
    html("span", { class: chipClass(tokens[i], role), "data-index": i }, html("span", {}, label)),
  );
  const shown = html("span", { class: "legend" }, legend);
  return html("div", { class: "chips", role: "group", "aria-label": legend }, shown, ...chips);
}

/**
 * A sentence, its translation, and lines from the target word that asks to the source words that it reads; the same in
 * words and as a table. The word that asks is hovered over, or chosen with mouse or arrow keys. Between the sentences
 * are `space` pixels. Returns the elements.
 */
function attentionLines(source, target, weights, space = SPACE) {
  const name = `target-${Math.random().toString(36).slice(2)}`;
  const [english, french] = [source, target].map(labelsOf);
  let chosen = sharpest(weights);
  const above = chipRow("English words, each with its numbers", source, "value");
  const below = chipChooser(name, "French words: choose one to see what it reads", target, "query", chosen, choose);
  below.addEventListener("mouseover", ({ target: under }) => {
    const chip = under.closest("[data-index]");
    if (!chip) return;
    chip.querySelector("input").checked = true;
    choose(Number(chip.dataset.index));
  });
  const lines = svg("svg", { role: "img", class: "lines" });
  const reading = html("p", { "aria-live": "polite" });
  const numbers = numbersTable(target, source, "Rows: French words that ask. Columns: English words that are read.");
  numbers.show(weights);
  below.style.marginTop = `${space}px`;
  new ResizeObserver(draw).observe(lines);
  draw();
  return [html("div", { class: "sentences" }, lines, above, below), reading, numbers.element];

  function choose(index) {
    if (index === chosen) return;
    chosen = index;
    draw();
  }

  /** Lines from the chip that asks to those that are read, wherever they are: a long sentence has several rows. */
  function draw() {
    const box = lines.getBoundingClientRect();
    if (!box.width) return;
    lines.setAttribute("viewBox", `0 0 ${box.width} ${box.height}`);
    const boxOf = (row, i) => row.querySelector(`[data-index="${i}"]`).getBoundingClientRect();
    const asks = boxOf(below, chosen);
    const [fromX, fromY] = [asks.left + asks.width / 2 - box.left, asks.top - box.top];
    const lineTo = (weight, i) => {
      const read = boxOf(above, i);
      const [toX, toY] = [read.left + read.width / 2 - box.left, read.bottom - box.top];
      const bend = (fromY - toY) / 2;
      return svg("path", {
        d: `M${toX} ${toY} C ${toX} ${toY + bend}, ${fromX} ${fromY - bend}, ${fromX} ${fromY}`,
        fill: "none",
        stroke: "var(--value)",
        "stroke-width": Math.max(0.3, 22 * weight),
        "stroke-opacity": 0.25 + 0.75 * weight,
      });
    };
    lines.replaceChildren(...weights[chosen].map(lineTo));
    const order = weights[chosen].map((weight, i) => [weight, english[i]]).sort((a, b) => b[0] - a[0]);
    const most = order.filter(([weight], rank) => rank === 0 || weight >= 0.05).slice(0, 4);
    const shares = most.map(([weight, word]) => `${twoDecimals(weight)} of “${word}”`).join(", ");
    const sentence = `“${french[chosen]}” reads ${shares}.`;
    lines.setAttribute("aria-label", sentence);
    setText(reading, sentence);
  }
}

/** The row with the largest weight of all: the clearest one to start with. */
function sharpest(weights) {
  const most = weights.map((row) => Math.max(...row));
  return most.indexOf(Math.max(...most));
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

function short(label) {
  return label.length > 10 ? `${label.slice(0, 9)}…` : label;
}

/** A picture of this size. Screen readers skip it, since the same is said in words beside it. */
function drawing(width, height, attributes, ...children) {
  const frame = { viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" };
  return svg("svg", { ...frame, ...attributes }, ...children);
}

/**
 * Put the names of a matrix's rows in front of it, as a group of radio buttons that choose a row. They scale with the
 * picture. `mark` marks the chosen row. The rows are those of `grid`, unless other sizes are given.
 */
function rowChooser(picture, tokens, legend, choose, { left, top, row } = { ...MARGIN, row: CELL }) {
  const [, , width, height] = picture.getAttribute("viewBox").split(" ").map(Number);
  const name = `rows-${Math.random().toString(36).slice(2)}`;
  const part = (share) => `${(100 * share).toFixed(3)}%`;
  const inputs = tokens.map((_, i) => html("input", { type: "radio", name, value: i, onchange: () => choose(i) }));
  const labels = labelsOf(tokens).map((label, i) => {
    const style = `top:${part((top + i * row) / height)};height:${part(row / height)}`;
    return html("label", { style, title: label }, inputs[i], html("span", {}, short(label)));
  });
  const style = `width:${part(left / width)}`;
  const group = html("div", { class: "rows", role: "radiogroup", "aria-label": legend, style }, ...labels);
  const element = html("div", { class: "matrix", style: `max-width:${width}px` }, picture, group);
  return { element, mark: (at) => (inputs[at].checked = true) };
}

/**
 * One matrix: rows ask, columns are read. `show` fills it, and `frame` frames a row. A large one prints the numbers of
 * the framed row only.
 */
function grid(lookup, { legend, choose }) {
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
        svg("text", { x: corner.x + CELL / 2, y: corner.y + CELL / 2 + 4, class: "digit" }),
      );
    }),
  );
  const ends = lookup.queries.map((_, i) =>
    svg("text", { x: width - MARGIN.right + 4, y: MARGIN.top + i * CELL + CELL / 2 + 4, class: "small" }),
  );
  const name = svg("text", { x: 4, y: 14, class: "title" });
  const under = svg("text", { x: 4, y: 29, class: "small" });
  const band = svg("rect", { class: "band", x: MARGIN.left, width: lookup.keys.length * CELL, height: CELL });
  const caption = html("figcaption");
  const columnNames = labelsOf(lookup.keys).map((label, j) => {
    const [x, y] = [MARGIN.left + j * CELL + CELL / 2 + 4, MARGIN.top - 6];
    return svg("text", { x, y, transform: `rotate(-50 ${x} ${y})`, class: "label" }, short(label));
  });
  const picture = drawing(width, height, { onclick: hit, onmousemove: hit },
    name,
    under,
    svg("text", { x: 4, y: MARGIN.top - 6, class: "small" }, "query ▸ key ▾"),
    ...columnNames,
    ...cells.flat(),
    ...ends,
    band,
  );
  const rows = rowChooser(picture, lookup.queries, legend, choose);

  const printsAll = lookup.queries.length <= DIGITS;
  let framed = 0;
  let words = () => ""; // what cell (i, j) prints

  function show(table, { title, subtitle, note, colour, digits, sums = false, isHidden = () => false }) {
    setText(name, title);
    setText(under, subtitle);
    setText(caption, printsAll ? note : `${note}; numbers in the framed row`);
    words = (i, j) => (isHidden(i, j) ? "·" : digits(table[i][j]));
    for (const [i, row] of table.entries()) {
      for (const [j, x] of row.entries()) setClass(cells[i][j], isHidden(i, j) ? "masked" : colour(x));
      if (printsAll) print(i);
      setText(ends[i], sums ? `Σ=${sum(row).toFixed(2)}` : "");
    }
    if (!printsAll) print(framed);
  }

  function print(i) {
    for (const [j, cell] of cells[i].entries()) {
      const printed = words(i, j);
      setText(cell.lastChild, printed);
      setClass(cell.lastChild, printed.length > 4 ? "digit long" : "digit");
    }
  }

  function frame(row) {
    band.setAttribute("y", MARGIN.top + row * CELL);
    rows.mark(row);
    if (!printsAll && row !== framed) {
      for (const cell of cells[framed]) setText(cell.lastChild, "");
      print(row);
    }
    framed = row;
  }

  return { element: html("figure", {}, rows.element, caption), picture, show, frame };
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

/**
 * Bars with a name on the left and a probability on the right. `show` takes pairs of both from top to bottom; those
 * whose name is `marked` get a ✓ and a heavy frame.
 */
function barChart(count, { note, caption, width, high = 30 }) {
  const [left, right, top] = [108, 46, 22];
  const wide = width - left - right;
  const at = (row) => top + row * high;
  const rows = Array.from({ length: count }, (_, i) => ({
    bar: svg("rect", { class: "bar", x: left, y: at(i), height: high - 8, fill: "var(--query)" }),
    name: svg("text", { class: "end", x: left - 8, y: at(i) + high / 2 + 1 }),
    number: svg("text", { y: at(i) + high / 2 + 1 }),
  }));
  const axis = svg("line", { class: "axis", x1: left, x2: left, y1: top - 6, y2: at(count) });
  const picture = drawing(width, at(count) + 4, {},
    svg("text", { class: "small", x: left, y: 11 }, note),
    axis,
    ...rows.flatMap(({ bar, name, number }) => [bar, name, number]),
  );

  function show(pairs, marked) {
    pairs.forEach(([label, p], i) => {
      const { bar, name, number } = rows[i];
      setAttributes(bar, { width: Math.max(1, wide * p) });
      setClass(bar, label === marked ? "bar chosen" : "bar");
      setText(name, `${label === marked ? "✓ " : ""}${short(label)}`);
      setAttributes(number, { x: left + wide * p + 6 });
      setText(number, twoDecimals(p));
    });
  }

  return { element: html("figure", {}, picture, html("figcaption", {}, caption)), show };
}
