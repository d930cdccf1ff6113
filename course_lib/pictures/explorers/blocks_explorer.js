// Attention in blocks: the table of scores, of which one block is held at a time, and what is kept of its queries.

const SIDE = 30; // of a cell
const NAMES = ["maximum", "total", "output so far, feature 0", "exact output, feature 0"];

function render({ model, el }) {
  prepare(el, "Blocks explorer: which scores are held at once, and what is kept of each query");
  const { scores, exact, steps } = model.get("data");
  const sizes = Object.keys(steps);
  const range = Math.max(...scores.flat().map(Math.abs));
  let size = sizes.find((each) => each > 1) ?? sizes[0];
  let now = 0;
  const choice = html("select", { onchange: () => choose(choice.value) });
  for (const each of sizes) choice.append(html("option", { value: each }, each));
  choice.value = size;
  const block = slider("Block", { min: 1, max: steps[size].length }, (value) => go(value - 1));
  const table = cellsOf(scores, range);
  const status = statusLine();
  const kept = html("tbody");
  const head = html("tr", {}, html("td"), ...NAMES.map((name) => html("th", { scope: "col" }, name)));
  const caption = html("caption", {}, "What is kept of the queries in this block");
  const numbers = html("table", {}, caption, html("thead", {}, head), kept);
  const note = "filled: the block that is held; framed: read before, and forgotten; dashed: still to come";
  const picture = html("figure", {}, table.element, html("figcaption", {}, note));
  const controls = html("div", { class: "controls" }, html("label", {}, "Tokens in a block ", choice), block.element);
  el.replaceChildren(controls, html("div", { class: "grids" }, picture, numbers), status);
  stepKeys(el, { step: (by) => go(within(now + by)), reset: () => go(0), first: block.input });
  go(0);

  function choose(latest) {
    size = latest;
    block.input.max = steps[size].length;
    go(0);
  }

  function within(step) {
    return Math.min(steps[size].length - 1, Math.max(0, step));
  }

  function go(to) {
    now = to;
    const { rows: [top, bottom], columns: [left, right], kept: latest } = steps[size][now];
    block.show(now + 1, `${now + 1} of ${steps[size].length}`);
    table.show((t, s) => {
      if (t >= top && t < bottom && s >= left && s < right) return "held";
      return t < top || (t < bottom && s < left) ? "read" : "to come";
    });
    const row = (numbers, i) => {
      const name = html("th", { scope: "row" }, `query ${top + i}`);
      return html("tr", {}, name, ...numbers.map((x) => html("td", {}, signed(x))));
    };
    kept.replaceChildren(...latest.map((numbers, i) => row([...numbers, exact[top + i]], i)));
    const held = (bottom - top) * (right - left);
    const finished = right === scores[0].length ? " These queries are finished." : "";
    const verb = bottom - top === 1 ? "reads" : "read";
    const who = `${spanOf("queries", top, bottom)} ${verb} ${spanOf("keys", left, right)}`;
    const all = scores.length * scores[0].length;
    status.say(`Block ${now + 1} of ${steps[size].length}: ${who}. ${held} of ${all} scores are held.${finished}`);
  }
}

/** The scores as cells; `show` sets what each of them is: held, read or to come. */
function cellsOf(scores, range) {
  const [left, top] = [62, 24];
  const cells = scores.map((row, t) =>
    row.map((score, s) => {
      const box = svg("rect", {
        class: "cell", x: left + s * SIDE + 1, y: top + t * SIDE + 1, width: SIDE - 2, height: SIDE - 2,
      });
      const digits = svg("text", { class: "digit", x: left + (s + 0.5) * SIDE, y: top + (t + 0.5) * SIDE + 4 });
      return { group: svg("g", {}, box, digits), digits, score };
    }),
  );
  const names = [
    svg("text", { class: "small", x: left, y: 14 }, "keys"),
    ...scores.map((_, t) => {
      const place = { class: "small end", x: left - 6, y: top + (t + 0.5) * SIDE + 4 };
      return svg("text", place, `query ${t}`);
    }),
  ];
  const [width, height] = [left + scores[0].length * SIDE + 4, top + scores.length * SIDE + 4];
  const element = drawing(width, height, {}, ...names, ...cells.flat().map(({ group }) => group));

  function show(stateOf) {
    cells.forEach((row, t) =>
      row.forEach(({ group, digits, score }, s) => {
        const state = stateOf(t, s);
        setClass(group, state === "held" ? signedClass(score, range) : state === "read" ? "read" : "masked");
        setText(digits, state === "held" ? oneDecimal(score) : "");
      }),
    );
  }

  return { element, show };
}

/** Some neighbours in words: "query 3", "keys 0 to 3". */
function spanOf(name, from, to) {
  const one = name === "queries" ? "query" : "key";
  return to - from === 1 ? `${one} ${from}` : `${name} ${from} to ${to - 1}`;
}

/** Two decimals with a true minus sign, and none in front of a zero. */
function signed(number) {
  const text = Math.abs(number).toFixed(2);
  return number < 0 && Number(text) ? `−${text}` : text;
}

export default { render: guessFirst(render) };
