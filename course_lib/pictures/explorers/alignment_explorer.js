// Cross-attention over the true alignment. The kernel sends the weights of all layers and heads, and the error rates.

function render({ model, el }) {
  prepare(el, "Alignment explorer: what each target word reads, and what it should");
  const { examples, heads, errors } = model.get("data");
  const id = `alignment-${Math.random().toString(36).slice(2)}`;
  const begin = { example: 0, head: model.get("head"), row: 0 };
  const sentence = html("select", { onchange: () => pick({ example: Number(sentence.value), row: 0 }) });
  const head = html("select", { onchange: () => pick({ head: Number(head.value) }) });
  fill(sentence, examples.map(({ source }) => source.join(" ")));
  fill(head, heads.map((name, i) => `${name}: error rate ${twoDecimals(errors[i])}`));
  const controls = html("div", { class: "controls" },
    html("label", {}, "Sentence", sentence),
    html("label", {}, "Layer and head", head),
  );
  const asks = html("div");
  const picture = html("div");
  const status = statusLine();
  const numbers = html("div");
  el.replaceChildren(controls, asks, picture, status, numbers);
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
    const { source, target, weights, gold, errors: own } = examples[state.example];
    sentence.value = state.example;
    head.value = state.head;
    asks.querySelectorAll("input")[state.row].checked = true;
    const note = "colours from 0 to 1; rings: the true links";
    panel.show(weights[state.head], { subtitle: heads[state.head], note, colour: weightClass });
    panel.frame(state.row);
    table.show(weights[state.head]);
    const row = weights[state.head][state.row];
    const reads = row.indexOf(Math.max(...row));
    const truth = gold.filter(([, t]) => t === state.row).map(([s]) => `“${source[s]}”`).join(" and ") || "no word";
    const reading = `“${target[state.row]}” reads ${twoDecimals(row[reads])} of “${source[reads]}”`;
    const [here, overall] = [own, errors].map((rates) => twoDecimals(rates[state.head]));
    status.say(
      `${reading}; it belongs to ${truth}. ` +
        `Alignment error rate of ${heads[state.head]}: ${here} here, ${overall} over all sentences.`,
    );
  }

  function build() {
    const { source, target, gold } = examples[state.example];
    const choose = (row) => row !== state.row && pick({ row });
    const legend = "The target word that asks: choose with mouse or arrow keys";
    asks.replaceChildren(chipChooser(id, legend, target, "query", state.row, choose));
    const brief = (x) => twoDecimals(x).replace(/^0/, "");
    panel = grid("weights", { queries: target, keys: source }, { digits: brief, sums: true, choose });
    panel.element.querySelector("svg").append(...gold.map(ring));
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
