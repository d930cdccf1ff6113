// A sentence with classifiers side by side: the classes' probabilities, and what each word adds. The kernel sends both.

const SIZE = { width: 420, left: 104, top: 58, row: 20 };

function render({ model, el }) {
  prepare(el, "Leave-one-out explorer: the classes of a sentence, and what each of its words adds");
  const warning = warningLine();
  const own = textForm(model, "sentence", "Your own sentence", "Read", { answer: "found", warn: warning.say });
  const picture = html("div", { class: "grids" });
  const status = statusLine();
  const numbers = html("div");
  el.replaceChildren(own.form, warning, picture, status, numbers);
  stepKeys(el, {
    step: (by) => panels.length && pick((chosen + by + data().words.length) % data().words.length),
    reset: () => panels.length && pick(begin()),
    first: own.input,
  });
  let panels = [];
  let chosen = 0;
  model.on("change:found", arrive);
  arrive();
  return () => model.off("change:found", arrive);

  function data() {
    return model.get("found");
  }

  /** The word that changes some model most. */
  function begin() {
    const most = data().words.map((_, i) => Math.max(...data().models.map(({ adds }) => Math.abs(adds[i]))));
    return most.indexOf(Math.max(...most));
  }

  function arrive() {
    const { message, words } = data();
    warning.say(message);
    if (message || !words) return;
    build();
    pick(begin());
  }

  function build() {
    const { words, models } = data();
    const range = Math.max(0.1, ...models.flatMap(({ adds }) => adds.map(Math.abs)));
    panels = models.map((each, i) => panel(each, words, { range, classes: model.get("classes"), choose: !i && pick }));
    picture.replaceChildren(...panels.map(({ element }) => html("div", { class: "half" }, element)));
    const names = models.map(({ name }) => name);
    const title = `What each word adds to the probability of ${model.get("classes")[1]}`;
    const table = numbersTable(words, names, title, { digits: signed });
    putTable(numbers, table);
    table.show(words.map((_, i) => models.map(({ adds }) => adds[i])));
  }

  function pick(word) {
    chosen = word;
    panels.forEach(({ frame }) => frame(word));
    const { words, models } = data();
    const [, second] = model.get("classes");
    const whole = models.map(({ name, p }) => `${name}: ${second} ${twoDecimals(p)}`).join(", ");
    const less = models.map(({ p, adds }) => twoDecimals(p - adds[word])).join(" and ");
    status.say(`${whole}. Without “${labelsOf(words)[word]}”: ${less}.`);
  }
}

/** One model: a bar that its classes share, and a signed bar for each word. With `choose`, its words can be chosen. */
function panel({ name, p, adds }, words, { range, classes, choose }) {
  const { width, left, top, row } = SIZE;
  const wide = width - left;
  const [center, half] = [left + wide / 2, wide / 2 - 44]; // room for a number at both ends
  const height = top + words.length * row + 4;
  const share = { y: 26, height: 10 };
  const band = svg("rect", { class: "band", x: left, width: wide - 2, height: row });
  const bars = adds.flatMap((add, i) => {
    const long = (half * Math.abs(add)) / range;
    const place = { x: add < 0 ? center - long : center, y: top + i * row + 4, width: Math.max(0.5, long) };
    const text = { x: center + (add < 0 ? -long - 4 : long + 4), y: top + i * row + 14 };
    return [
      svg("rect", { class: "bar", ...place, height: row - 8, fill: `var(--${add < 0 ? "key" : "query"})` }),
      svg("text", { class: add < 0 ? "small end" : "small", ...text }, signed(add)),
    ];
  });
  const names = labelsOf(words).map((label, i) =>
    svg("text", { class: "end", x: left - 8, y: top + i * row + 14 }, short(label)),
  );
  const drawn = drawing(width, height, {},
    svg("text", { class: "title", x: 4, y: 14 }, short(name)),
    svg("text", { x: left, y: 20 }, `${classes[0]} ${twoDecimals(1 - p)}`),
    svg("text", { class: "end", x: width - 2, y: 20 }, `${classes[1]} ${twoDecimals(p)}`),
    svg("rect", { class: "bar", x: left, width: wide * (1 - p), fill: "var(--key)", ...share }),
    svg("rect", { class: "bar", x: left + wide * (1 - p), width: wide * p, fill: "var(--query)", ...share }),
    svg("text", { class: "small middle", x: center, y: top - 6 }, `what each word adds to ${classes[1]}`),
    svg("line", { class: "axis", x1: center, x2: center, y1: top, y2: height - 4 }),
    ...bars,
    ...(choose ? [] : names),
    band,
  );
  const rows = choose && rowChooser(drawn, words, "Words: choose one to leave out", choose, { left, top, row });

  function frame(word) {
    band.setAttribute("y", top + word * row);
    if (rows) rows.mark(word);
  }

  return { element: html("figure", {}, rows ? rows.element : drawn), frame };
}

/** Two decimals with their sign. */
function signed(x) {
  return `${x < 0 ? "−" : "+"}${twoDecimals(Math.abs(x))}`;
}

export default { render: guessFirst(render) };
