// Scores → mask → weights → output of one head. The kernel sends all scores and values once; the rest is done here.

const FEATURES_SHOWN = 16;
const START = { mask: "none", scaled: true, sharpness: 1 };

function render({ model, el }) {
  prepare(el, "Attention explorer: scores, mask, weights and output of one head");
  const id = `attention-${Math.random().toString(36).slice(2)}`;
  let state, panels, current;

  const { form, input: sentence } = textForm(model, "sentence", "Your sentence", "Look");
  const layer = html("select", { onchange: () => pick({ layer: Number(layer.value) }) });
  const head = html("select", { onchange: () => pick({ head: Number(head.value) }) });
  const masks = radios("Mask", { none: "none", causal: "causal" }, () => state.mask, (mask) => pick({ mask }));
  const scale = html("input", { type: "checkbox", onchange: () => pick({ scaled: scale.checked }) });
  const sharpness = slider("Multiply the scores by", { min: 0, max: 4, step: 0.1 }, (x) => pick({ sharpness: x }));
  const controls = html(
    "div",
    { class: "controls" },
    html("label", {}, "Layer", layer),
    html("label", {}, "Head", head),
    masks.element,
    html("label", { class: "inline" }, scale, "divide by √d_k"),
    sharpness.element,
  );
  const status = statusLine();
  const asks = html("div");
  const grids = html("div", { class: "grids" });
  const numbers = html("div");
  el.replaceChildren(form, controls, asks, grids, status, numbers);
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

  function restart() {
    const lookup = model.get("lookup");
    sentence.value = model.get("sentence");
    status.classList.toggle("warning", Boolean(lookup.message));
    for (const part of [controls, asks, grids, numbers]) part.hidden = Boolean(lookup.message);
    if (lookup.message) return status.say(lookup.message);
    state = { ...START, layer: model.get("layer"), head: model.get("head") };
    state.row = startRow();
    fill(layer, lookup.scores.length);
    fill(head, lookup.scores[0].length);
    const choose = (row) => row !== state.row && pick({ row });
    const legend = "The token that asks: choose with mouse or arrow keys";
    asks.replaceChildren(chipChooser(id, legend, lookup.queries, "query", state.row, choose));
    const caption = "The weights. Rows: the token that asks. Columns: the token that is read.";
    panels = {
      scores: grid("scores", lookup, { digits: oneDecimal, choose }),
      masked: grid("scores after the mask", lookup, { digits: oneDecimal, choose }),
      weights: grid("weights", lookup, { digits: (x) => x.toFixed(2).replace(/^0/, ""), sums: true, choose }),
      output: outputPanel(lookup),
      numbers: numbersTable(lookup.queries, lookup.keys, caption),
    };
    grids.replaceChildren(...["scores", "masked", "weights", "output"].map((name) => panels[name].element));
    numbers.replaceChildren(panels.numbers.element);
    update(true);
  }

  function update(recompute) {
    const lookup = model.get("lookup");
    layer.value = state.layer;
    head.value = state.head;
    masks.show();
    scale.checked = state.scaled;
    sharpness.show(state.sharpness, state.sharpness.toFixed(1));
    const chosen = asks.querySelectorAll("input")[state.row];
    if (chosen) chosen.checked = true;
    if (recompute) draw(lookup);
    showRow(lookup);
  }

  function draw(lookup) {
    current = compute(lookup, state);
    const { scores, masked, weights } = current;
    const range = largest(scores);
    const colour = (x) => signedClass(x, range);
    const ends = `colours from ${oneDecimal(-range)} to ${oneDecimal(range)}`;
    const isHidden = (i, j) => masked[i][j] === -Infinity;
    panels.scores.show(scores, { subtitle: state.scaled ? "q · k / √d_k" : "q · k", note: ends, colour });
    const note = state.mask === "none" ? "no mask: nothing changes" : "· is −∞";
    panels.masked.show(masked, { subtitle: "hidden ones become −∞", note, colour, isHidden });
    const scale = { note: "colours from 0 to 1", colour: weightClass };
    panels.weights.show(weights, { subtitle: "softmax of each row", ...scale, isHidden });
    panels.output.show(lookup.values[state.layer][state.head]);
    panels.numbers.show(weights);
  }

  function showRow(lookup) {
    const row = current.weights[state.row];
    const order = row.map((weight, i) => [weight, lookup.keys[i]]).sort((a, b) => b[0] - a[0]);
    const shares = order.slice(0, 3).map(([w, token]) => `${twoDecimals(w)} of “${tokenLabel(token)}”`).join(", ");
    status.say(`“${tokenLabel(lookup.queries[state.row])}” reads ${shares}.`);
    for (const { frame } of [panels.scores, panels.masked, panels.weights]) frame(state.row);
    panels.output.mix(row, lookup.values[state.layer][state.head]);
  }

  model.on("change:lookup", restart);
  restart();
  return () => model.off("change:lookup", restart);
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
  const height = MARGIN.top + count * CELL + 56;
  const names = lookup.keys.map((token, i) =>
    svg("text", { x: MARGIN.left - 6, y: MARGIN.top + i * CELL + CELL / 2 + 4, class: "label end" }, short(token)),
  );
  const shares = lookup.keys.map((_, i) =>
    svg("rect", { class: "share", x: MARGIN.left, y: MARGIN.top + i * CELL + 6, height: CELL - 12 }),
  );
  const cellsAt = (y) =>
    Array.from({ length: features }, (_, j) =>
      svg("g", {}, svg("rect", { class: "cell", x: left + j * size, y, width: size, height: CELL }, svg("title"))),
    );
  const values = lookup.keys.map((_, i) => cellsAt(MARGIN.top + i * CELL));
  const output = cellsAt(MARGIN.top + count * CELL + 14);
  const picture = drawing(width, height, {},
    svg("text", { x: MARGIN.left, y: 14, class: "title" }, "output"),
    svg("text", { x: MARGIN.left, y: 29, class: "small" }, "Σ weight × value"),
    svg("text", { x: MARGIN.left, y: MARGIN.top - 8, class: "small" }, "weight"),
    svg("text", { x: left, y: MARGIN.top - 8, class: "small" }, "value"),
    ...names, ...shares, ...values.flat(), ...output,
    svg("text", { x: left - 8, y: MARGIN.top + count * CELL + 31, class: "label end" }, "output"),
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

  function mix(row, table) {
    for (const [i, share] of shares.entries()) share.setAttribute("width", Math.max(0.5, row[i] * 60));
    const mixed = output.map((_, j) => sum(row.map((weight, i) => weight * table[i][j])));
    colourCells(output, mixed, largest(table));
  }

  const note = `the first ${features} of ${d_v} features`;
  return { element: html("figure", { class: "mix" }, picture, html("figcaption", {}, note)), show, mix };
}

export default { render: guessFirst(render) };
