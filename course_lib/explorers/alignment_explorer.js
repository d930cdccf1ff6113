// Cross-attention over the true alignment. The kernel sends the weights of all layers and heads, and the error rates.

function render({ model, el }) {
  prepare(el, "Alignment explorer: what each target word reads, and what it should");
  const { examples, heads, errors } = model.get("data");
  const id = `alignment-${Math.random().toString(36).slice(2)}`;
  let state = { example: 0, head: model.get("head"), row: 0 };
  const sentence = html("select", { onchange: () => pick({ example: Number(sentence.value), row: 0 }) });
  const head = html("select", { onchange: () => pick({ head: Number(head.value) }) });
  fill(sentence, examples.map(({ source }) => source.join(" ")));
  fill(head, heads);
  const controls = html("div", { class: "controls" }, html("label", {}, "Sentence", sentence), html("label", {}, "Layer and head", head));
  const asks = html("div");
  const picture = html("div");
  const status = statusLine();
  const numbers = html("div");
  el.replaceChildren(controls, asks, picture, status, numbers);
  el.addEventListener("keydown", (event) => {
    if (event.key === "[") pick({ head: (state.head + heads.length - 1) % heads.length });
    else if (event.key === "]") pick({ head: (state.head + 1) % heads.length });
    else if (event.key.toLowerCase() === "r" && !event.ctrlKey && !event.metaKey) pick({ example: 0, head: model.get("head"), row: 0 });
    else if (event.key === "Escape") sentence.focus();
  });
  let panel, table;
  pick({ example: 0 });

  function pick(change) {
    state = { ...state, ...change };
    if ("example" in change) build();
    const { source, target, weights, gold, errors: own } = examples[state.example];
    sentence.value = state.example;
    head.value = state.head;
    const chosen = asks.querySelectorAll("input")[state.row];
    if (chosen) chosen.checked = true;
    panel.show(weights[state.head], { subtitle: "", note: "colours from 0 to 1; rings: the true links", colour: weightClass });
    panel.frame(state.row);
    table.show(weights[state.head]);
    const row = weights[state.head][state.row];
    const reads = row.indexOf(Math.max(...row));
    const truth = gold.filter(([, t]) => t === state.row).map(([s]) => `“${source[s]}”`).join(" and ") || "no word";
    status.say(
      `“${target[state.row]}” reads ${twoDecimals(row[reads])} of “${source[reads]}”; it belongs to ${truth}. ` +
        `Alignment error rate of ${heads[state.head]}: ${twoDecimals(own[state.head])} here, ${twoDecimals(errors[state.head])} over all sentences.`,
    );
  }

  function build() {
    const { source, target, gold } = examples[state.example];
    const choose = (row) => row !== state.row && pick({ row });
    asks.replaceChildren(chipChooser(id, "The target word that asks: choose with mouse or arrow keys", target, "query", state.row, choose));
    panel = grid("weights", { queries: target, keys: source }, { digits: (x) => x.toFixed(2).replace(/^0/, ""), sums: true, choose });
    const rings = gold.map(([s, t]) => svg("circle", { class: "gold", cx: MARGIN.left + (s + 0.5) * CELL, cy: MARGIN.top + (t + 0.5) * CELL, r: CELL / 2 - 2 }));
    panel.element.querySelector("svg").append(...rings);
    picture.replaceChildren(panel.element);
    table = numbersTable(target, source, "Rows: target words that ask. Columns: source words that are read.");
    numbers.replaceChildren(table.element);
  }
}

export default { render };
