// A sentence with the names framed that a tagger finds, and the probability of each tag of a word. The kernel sends it.

function render({ model, el }) {
  prepare(el, "Explorer of names: what is found in a sentence, and how likely each tag of a word is");
  const id = `entities-${Math.random().toString(36).slice(2)}`;
  const warning = warningLine();
  const own = textForm(model, "sentence", "Your own sentence", "Read", { answer: "found", warn: warning.say });
  const select = html("select", { onchange: () => pick({ tagger: Number(select.value) }) });
  const controls = html("div", { class: "controls" }, html("label", {}, "Tagger", select));
  const words = html("div");
  const status = statusLine();
  const shares = html("div", { class: "half" });
  const names = html("div", { class: "half texts" });
  const picture = html("div", { class: "grids" }, shares, names);
  const numbers = html("div");
  el.replaceChildren(own.form, warning, controls, words, status, picture, numbers);
  stepKeys(el, {
    step: (by) => state && pick({ word: (state.word + by + data().words.length) % data().words.length }),
    reset: () => state && pick({ word: 0, tagger: 0 }),
    first: own.input,
  });
  let state, bars, table;
  model.on("change:found", arrive);
  arrive();
  return () => model.off("change:found", arrive);

  function data() {
    return model.get("found");
  }

  function tagger() {
    return Object.entries(data().taggers)[state.tagger];
  }

  function arrive() {
    const { message, words: read, tags, taggers } = data();
    warning.say(message);
    controls.hidden = picture.hidden = !read;
    if (message || !read) return;
    fill(select, Object.keys(taggers));
    const chosen = Math.min(state?.tagger ?? 0, Object.keys(taggers).length - 1);
    const first = Object.values(taggers)[chosen].spans[0];
    state = { word: first ? first[1] : 0, tagger: chosen };
    const caption = "how sure the tagger is of each tag of this word";
    const about = { note: "probability; ✓: the chosen tag", caption };
    bars = barChart(tags.length, { ...about, width: 400, high: 24 });
    shares.replaceChildren(bars.element);
    pick({ tagger: chosen });
  }

  function pick(change) {
    const another = "tagger" in change;
    state = { ...state, ...change };
    const [name, { p, best, spans }] = tagger();
    const { words: read, tags } = data();
    if (another) mark();
    select.value = state.tagger;
    words.querySelectorAll("input")[state.word].checked = true;
    bars.show(tags.map((tag, k) => [tag, p[state.word][k]]), best[state.word]);
    const span = spans.find(([, start, stop]) => start <= state.word && state.word < stop);
    const whole = span ? `It belongs to “${read.slice(span[1], span[2]).join(" ")}”, ${span[0]}.` : "It is in no name.";
    const sure = twoDecimals(Math.max(...p[state.word]));
    status.say(`${name}: “${read[state.word]}” is ${best[state.word]}, with probability ${sure}. ${whole}`);
  }

  /** Frame the names of the chosen tagger, and list them. */
  function mark() {
    const [, { p, spans }] = tagger();
    const { words: read, tags } = data();
    const legend = "The word to look at: hover, or choose with mouse or arrow keys; names are framed, with their kind";
    const chip = (i) => {
      const input = html("input", { type: "radio", name: id, value: i, onchange: () => pick({ word: i }) });
      const attributes = { class: "chip word", "data-index": i, onmouseenter: () => pick({ word: i }) };
      return html("label", attributes, input, html("span", {}, labels[i]));
    };
    const labels = labelsOf(read);
    const parts = [];
    for (let i = 0; i < read.length; ) {
      const span = spans.find(([, start]) => start === i);
      const stop = span ? span[2] : i + 1;
      const chips = read.slice(i, stop).map((_, j) => chip(i + j));
      if (span) parts.push(html("span", { class: `entity ${span[0]}` }, ...chips, html("b", {}, span[0])));
      else parts.push(...chips);
      i = stop;
    }
    const said = html("span", { class: "legend", "aria-hidden": "true" }, legend);
    words.replaceChildren(html("div", { class: "chips", role: "radiogroup", "aria-label": legend }, ...parts, said));
    names.replaceChildren(listOfNames(read, p, spans));
    table = numbersTable(read, tags, "Probability of each tag, word by word", { labels: (all) => labelsOf(all) });
    putTable(numbers, table);
    table.show(p);
  }
}

/** The names that were found, with their kind and how sure the tagger is of their least certain word. */
function listOfNames(read, p, spans) {
  if (!spans.length) return html("p", {}, "No name was found.");
  const head = ["kind", "name", "lowest probability"].map((name) => html("th", { scope: "col" }, name));
  const rows = spans.map(([kind, start, stop]) => {
    const lowest = Math.min(...p.slice(start, stop).map((row) => Math.max(...row)));
    const cells = [html("td", {}, read.slice(start, stop).join(" ")), html("td", {}, twoDecimals(lowest))];
    return html("tr", {}, html("th", { scope: "row" }, kind), ...cells);
  });
  const body = html("tbody", {}, ...rows);
  return html("table", {}, html("caption", {}, "The names found"), html("thead", {}, html("tr", {}, ...head)), body);
}

export default { render: guessFirst(render) };
