// Cross-attention over the true alignment. The kernel sends the weights of all layers and heads, and the error rates.

function render({ model, el }) {
  prepare(el, "Alignment explorer: what each target word reads, and what it should");
  const { examples, heads, errors } = model.get("data");
  const begin = { example: 0, head: model.get("head"), row: 0 };
  const sentence = html("select", { onchange: () => pick({ example: Number(sentence.value), row: 0 }) });
  const head = html("select", { onchange: () => pick({ head: Number(head.value) }) });
  fill(sentence, examples.map(({ source }) => source.join(" ")));
  fill(head, heads.map((name, i) => `${name}: error rate ${twoDecimals(errors[i])}`));
  const controls = html("div", { class: "controls" },
    html("label", {}, "Sentence", sentence),
    html("label", {}, "Layer and head", head),
  );
  const picture = html("div", { class: "shown" });
  const status = statusLine();
  const numbers = html("div");
  const side = html("div", { class: "side" }, controls, status);
  el.replaceChildren(html("div", { class: "two" }, side, picture), numbers);
  stepKeys(el, {
    step: (by) => pick({ head: (state.head + heads.length + by) % heads.length }),
    reset: () => pick(begin),
    first: sentence,
  });
  let state, panel, table;
  pick(begin);

  function pick(change) {
    const before = state;
    state = { ...state, ...change };
    if (state.example !== before?.example) build();
    const { weights, gold, errors: own } = examples[state.example];
    const [source, target] = [examples[state.example].source, examples[state.example].target].map(labelsOf);
    sentence.value = state.example;
    head.value = state.head;
    const note = "colours from 0 to 1; rings: the true links";
    const title = { title: "weights", subtitle: heads[state.head] };
    panel.show(weights[state.head], { ...title, note, colour: weightClass, digits: inCell, sums: true });
    panel.frame(state.row);
    table.show(weights[state.head]);
    const row = weights[state.head][state.row];
    const reads = row.indexOf(Math.max(...row));
    const truth = gold.filter(([, t]) => t === state.row).map(([s]) => `“${source[s]}”`).join(" and ") || "no word";
    const reading = `“${target[state.row]}” reads ${twoDecimals(row[reads])} of “${source[reads]}”`;
    const [here, overall] = [own, errors].map((rates) => twoDecimals(rates[state.head]));
    const all = examples.length === 1 ? "this sentence" : `these ${examples.length} sentences`;
    status.say(
      `${reading}; it belongs to ${truth}. ` +
        `Alignment error rate of ${heads[state.head]}: ${here} here, ${overall} over ${all}.`,
    );
  }

  function build() {
    const { source, target, gold } = examples[state.example];
    const choose = (row) => row !== state.row && pick({ row });
    const legend = "The target word that asks: choose with mouse or arrow keys";
    panel = grid({ queries: target, keys: source }, { legend, choose });
    panel.picture.append(...gold.map(ring));
    picture.replaceChildren(panel.element);
    const isGold = (i, j) => gold.some(([s, t]) => s === j && t === i);
    const digits = (x, i, j) => (isGold(i, j) ? `○ ${twoDecimals(x)}` : twoDecimals(x));
    const caption = "Rows: target words that ask. Columns: source words that are read. ○: a true link.";
    table = numbersTable(target, source, caption, { digits });
    putTable(numbers, table);
  }
}

/** A true link: a dark ring on a wider light one, or the other way round, which is visible on a cell of any colour. */
function ring([s, t]) {
  const middle = { cx: MARGIN.left + (s + 0.5) * CELL, cy: MARGIN.top + (t + 0.5) * CELL };
  const circle = () => svg("circle", { ...middle, r: CELL / 2 - 1 });
  return svg("g", { class: "gold" }, circle(), circle());
}

export default { render: guessFirst(render) };
