// Scores → mask → weights → output of one head. The kernel sends all scores and values once; the rest is done here.

const FEATURES_SHOWN = 16;
const START = { mask: "none", scaled: true, sharpness: 1, view: "weights" };
const VIEWS = { scores: "scores", masked: "masked", weights: "weights", output: "output" };
const LEGEND = "The token that asks: choose with mouse or arrow keys";

function render({ model, el }) {
  prepare(el, "Attention explorer: scores, mask, weights and output of one head");
  let state, panels, current, names;

  const status = statusLine();
  const answer = { answer: "lookup", warn: (words) => tell(words, true) };
  const { form, input: sentence } = textForm(model, "sentence", "Your sentence", "Show", answer);
  const layer = html("select", { onchange: () => pick({ layer: Number(layer.value) }) });
  const head = html("select", { onchange: () => pick({ head: Number(head.value) }) });
  const masks = radios("Mask", { none: "none", causal: "causal" }, () => state.mask, (mask) => pick({ mask }));
  const scale = html("input", { type: "checkbox", onchange: () => pick({ scaled: scale.checked }) });
  const sharpness = slider("Scores times", { min: 0, max: 4, step: 0.1 }, (x) => pick({ sharpness: x }));
  const asks = html("select", { onchange: () => pick({ row: Number(asks.value) }) });
  const asking = html("label", {}, "Token that asks", asks); // in the one view that has no rows to choose
  const views = radios("Show", VIEWS, () => state.view, (view) => pick({ view }));
  const controls = html(
    "div",
    { class: "controls" },
    html("label", {}, "Layer", layer),
    html("label", {}, "Head", head),
    html("label", { class: "inline" }, scale, "divide by √d_k"),
    masks.element,
    sharpness.element,
    views.element,
    asking,
  );
  const picture = html("div", { class: "shown" });
  const numbers = html("div");
  const side = html("div", { class: "side" }, form, status, controls);
  el.replaceChildren(html("div", { class: "two" }, side, picture), numbers);
  stepKeys(el, { step, reset: () => heads() && pick({ ...START, row: startRow() }), first: sentence });

  function heads() {
    return model.get("lookup").scores?.[0].length; // none where the sentence could not be read
  }

  function step(by) {
    if (heads()) pick({ head: (state.head + heads() + by) % heads() });
  }

  /** The row that reads most widely in the head that is shown, as everything else is at first. */
  function startRow() {
    return widest(compute(model.get("lookup"), { ...state, ...START }).weights);
  }

  function pick(change) {
    state = { ...state, ...change };
    if ("layer" in change || "head" in change) {
      model.set("layer", state.layer);
      model.set("head", state.head);
      model.save_changes();
    }
    update(!("row" in change && Object.keys(change).length === 1));
  }

  function tell(words, isWarning) {
    status.classList.toggle("warning", isWarning);
    status.say(words);
  }

  function restart() {
    const lookup = model.get("lookup");
    sentence.value = model.get("sentence");
    for (const part of [controls, picture, numbers]) part.hidden = Boolean(lookup.message);
    if (lookup.message) return tell(lookup.message, true);
    const [label, token] = [names?.queries[state.row], names?.tokens[state.row]]; // asked in the last sentence
    names = { queries: labelsOf(lookup.queries), keys: labelsOf(lookup.keys), tokens: lookup.queries };
    state = { ...START, ...state, layer: model.get("layer"), head: model.get("head") };
    state.row = names.queries.indexOf(label);
    if (state.row < 0) state.row = names.tokens.indexOf(token);
    if (state.row < 0) state.row = startRow();
    fill(layer, lookup.scores.length);
    fill(head, lookup.scores[0].length);
    fill(asks, names.queries);
    const choose = (row) => row !== state.row && pick({ row });
    const caption = "The weights. Rows: the token that asks. Columns: the token that is read.";
    panels = {
      grid: grid(lookup, { legend: LEGEND, choose }),
      output: outputPanel(lookup),
      numbers: numbersTable(lookup.queries, lookup.keys, caption),
    };
    picture.replaceChildren(panels.grid.element, panels.output.element);
    numbers.replaceChildren(panels.numbers.element);
    update(true);
  }

  function update(recompute) {
    const lookup = model.get("lookup");
    layer.value = state.layer;
    head.value = state.head;
    masks.show();
    views.show();
    scale.checked = state.scaled;
    sharpness.show(state.sharpness, state.sharpness.toFixed(1));
    panels.grid.element.hidden = state.view === "output";
    asking.hidden = panels.output.element.hidden = state.view !== "output";
    if (recompute) draw(lookup);
    showRow(lookup);
  }

  function draw(lookup) {
    current = compute(lookup, state);
    const { scores, masked, weights } = current;
    const range = largest(scores);
    const colour = (x) => signedClass(x, range);
    const note = `colours from ${oneDecimal(-range)} to ${oneDecimal(range)}`;
    const isHidden = (i, j) => masked[i][j] === -Infinity;
    const signed = { colour, digits: oneDecimal };
    const formula = state.scaled ? "q · k / √d_k" : "q · k";
    const shows = {
      scores: [scores, { title: "scores", subtitle: formula, note, ...signed }],
      masked: [masked, { title: "scores after the mask", subtitle: "· is −∞", note, ...signed, isHidden }],
      weights: [weights, {
        title: "weights", subtitle: "softmax of each row", note: "colours from 0 to 1", colour: weightClass,
        digits: inCell, sums: true, isHidden,
      }],
    };
    if (shows[state.view]) panels.grid.show(...shows[state.view]);
    panels.output.show(lookup.values[state.layer][state.head]);
    panels.numbers.show(weights);
  }

  function showRow(lookup) {
    const row = current.weights[state.row];
    const order = row.map((weight, i) => [weight, names.keys[i]]).sort((a, b) => b[0] - a[0]);
    const shares = order.slice(0, 3).map(([w, token]) => `${twoDecimals(w)} of “${token}”`).join(", ");
    tell(`“${names.queries[state.row]}” reads ${shares}.`, false);
    asks.value = state.row;
    panels.grid.frame(state.row);
    panels.output.mix(state.row, row, lookup.values[state.layer][state.head]);
  }

  /** Choose the token that a guess asks about. */
  function goTo({ detail: token }) {
    const row = model.get("lookup").queries?.indexOf(token) ?? -1;
    if (row >= 0) pick({ row });
  }

  el.addEventListener("about", goTo);
  model.on("change:lookup", restart);
  restart();
  return () => {
    model.off("change:lookup", restart);
    el.removeEventListener("about", goTo);
  };
}

/** Scores, scores after the mask, and weights of the chosen head: three T × S tables. */
function compute(lookup, { layer, head, mask, scaled, sharpness }) {
  const factor = sharpness * (scaled ? 1 : Math.sqrt(lookup.d_k));
  const scores = lookup.scores[layer][head].map((row) => row.map((x) => x * factor));
  const masked = scores.map((row, i) => row.map((x, j) => (mask === "causal" && j > i ? -Infinity : x)));
  return { scores, masked, weights: masked.map(softmax) };
}

function softmax(row) {
  const top = Math.max(...row);
  const exponentials = row.map((x) => Math.exp(x - top));
  const total = sum(exponentials);
  return exponentials.map((x) => x / total);
}

/** The largest absolute value in a table: the ends of the signed colours. */
function largest(table) {
  return Math.max(...table.flat().map(Math.abs), 1e-9);
}

function radios(legend, choices, chosen, choose) {
  const name = `radio-${Math.random().toString(36).slice(2)}`;
  const inputs = Object.entries(choices).map(([value, label]) => {
    const input = html("input", { type: "radio", name, value, onchange: () => choose(value) });
    return html("label", { class: "inline" }, input, label);
  });
  const element = html("fieldset", {}, html("legend", {}, legend), ...inputs);
  const show = () => element.querySelectorAll("input").forEach((input) => (input.checked = input.value === chosen()));
  return { element, show };
}

/** The values; `mix` shows the weights of a row beside them, and the output below: the sum of weight × value. */
function outputPanel(lookup) {
  const count = lookup.keys.length;
  const d_v = lookup.values[0][0][0].length;
  const features = Math.min(FEATURES_SHOWN, d_v);
  const left = MARGIN.left + 66;
  const size = 16;
  const width = left + features * size + 8;
  const height = MARGIN.top + count * CELL + 46;
  const shares = lookup.keys.map((_, i) =>
    svg("rect", { class: "share", x: MARGIN.left, y: MARGIN.top + i * CELL + 6, height: CELL - 12 }),
  );
  const cellsAt = (y) =>
    Array.from({ length: features }, (_, j) =>
      svg("g", {}, svg("rect", { class: "cell", x: left + j * size, y, width: size, height: CELL }, svg("title"))),
    );
  const values = lookup.keys.map((_, i) => cellsAt(MARGIN.top + i * CELL));
  const output = cellsAt(MARGIN.top + count * CELL + 14);
  const asks = svg("text", { x: 4, y: 29, class: "small" });
  const names = labelsOf(lookup.keys).map((label, i) =>
    svg("text", { x: MARGIN.left - 6, y: MARGIN.top + i * CELL + CELL / 2 + 4, class: "end" }, short(label)),
  );
  const picture = drawing(width, height, {},
    svg("text", { x: 4, y: 14, class: "title" }, "output: Σ weight × value"), asks,
    svg("text", { x: MARGIN.left, y: MARGIN.top - 8, class: "small" }, "weight"),
    svg("text", { x: left, y: MARGIN.top - 8, class: "small" }, "value"),
    ...names, ...shares, ...values.flat(), ...output,
    svg("text", { x: left - 8, y: MARGIN.top + count * CELL + 31, class: "end" }, "output"),
  );

  function colourCells(cells, numbers, range) {
    for (const [j, cell] of cells.entries()) {
      setClass(cell, signedClass(numbers[j], range));
      setText(cell.querySelector("title"), `feature ${j}: ${numbers[j].toFixed(3)}`);
    }
  }

  function show(table) {
    const range = largest(table);
    for (const [i, cells] of values.entries()) colourCells(cells, table[i], range);
  }

  function mix(asking, row, table) {
    setText(asks, `“${labelsOf(lookup.queries)[asking]}” asks`);
    for (const [i, share] of shares.entries()) share.setAttribute("width", Math.max(0.5, row[i] * 60));
    const mixed = output.map((_, j) => sum(row.map((weight, i) => weight * table[i][j])));
    colourCells(output, mixed, largest(table));
  }

  const note = features < d_v ? `the first ${features} of ${d_v} features` : `all ${d_v} features`;
  return { element: html("figure", { class: "mix" }, picture, html("figcaption", {}, note)), show, mix };
}

export default { render: guessFirst(render) };
