// One token of a sentence hidden, and what a masked language model guesses at each layer. The kernel sends all of it.

const CHART = { width: 400, height: 230 };

function render({ model, el }) {
  prepare(el, "Hidden token explorer: hide a token, and see what the model guesses at each layer");
  const id = `hidden-${Math.random().toString(36).slice(2)}`;
  const warning = warningLine();
  const own = textForm(model, "sentence", "Your own sentence", "Read", { answer: "found", warn: warning.say });
  const tokens = html("div", { class: "controls" });
  const layer = slider("The head reads", { min: 0, max: 1 }, (value) => pick({ layer: value }));
  const guesses = html("div", { class: "half" });
  const course = html("div", { class: "half" });
  const status = statusLine();
  const numbers = html("div");
  const controls = html("div", { class: "controls" }, layer.element);
  const picture = html("div", { class: "grids" }, guesses, course);
  el.replaceChildren(own.form, warning, tokens, controls, picture, status, numbers);
  stepKeys(el, {
    step: (by) => state && pick({ token: (state.token + by + data().tokens.length) % data().tokens.length }),
    reset: () => state && pick({ token: begin(), layer: layers() - 1 }),
    first: own.input,
  });
  let state, chart, bars, table;
  model.on("change:found", arrive);
  arrive();
  return () => model.off("change:found", arrive);

  function data() {
    return model.get("found");
  }

  function layers() {
    return data().guesses[0].length;
  }

  function begin() {
    return Math.min(model.get("token"), data().tokens.length - 1);
  }

  function arrive() {
    const { message, tokens: names } = data();
    warning.say(message);
    controls.hidden = picture.hidden = !names;
    if (message || !names) return;
    state = { token: begin(), layer: layers() - 1 };
    layer.input.max = layers() - 1;
    build();
    pick({});
  }

  function build() {
    const { tokens: names } = data();
    const legend = "The token to hide: choose with mouse or arrow keys";
    tokens.replaceChildren(chipChooser(id, legend, names, "query", state.token, (token) => pick({ token })));
    const words = { note: "probability; ✓: the hidden token", caption: "what the model guesses" };
    bars = barChart(data().guesses[0][0].length, { ...words, width: CHART.width });
    guesses.replaceChildren(bars.element);
    const columns = Array.from({ length: layers() }, (_, i) => layerName(i));
    table = numbersTable(names, columns, "Probability of each token where it is hidden, by layer that the head reads", {
      labels: (all) => (all === columns ? columns : labelsOf(all)),
    });
    putTable(numbers, table);
    table.show(data().own);
  }

  function pick(change) {
    state = { ...state, ...change };
    const { tokens: names, guesses: all, own: right, rank } = data();
    const { token, layer: read } = state;
    tokens.querySelectorAll("input")[token].checked = true;
    layer.show(read, layerName(read));
    bars.show(all[token][read], names[token]);
    chart = curves({
      ...CHART,
      x: { name: "layer that the head reads", min: 0, max: layers() - 1, ticks: [0, layers() - 1], cursor: read },
      y: { name: "its probability", min: 0, max: 1, ticks: [[0, "0"], [0.5, "0.5"], [1, "1"]] },
      series: [{ style: 0, points: right[token].map((p, i) => [i, p]) }],
    });
    const note = html("figcaption", {}, "how sure the head is of the hidden token, by layer");
    course.replaceChildren(html("figure", {}, chart.element, note));
    const [first, p] = all[token][read][0];
    status.say(
      `“${tokenLabel(names[token])}” is hidden. After ${layerName(read)} the first guess is “${tokenLabel(first)}”, ` +
        `${twoDecimals(p)}; the hidden token has ${twoDecimals(right[token][read])}, rank ${rank[token][read]}.`,
    );
  }
}

function layerName(i) {
  return i ? `layer ${i}` : "the embeddings";
}

export default { render: guessFirst(render) };
