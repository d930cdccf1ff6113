// What comes next: two distributions under the same filters. The kernel sends the logits, and continues what is drawn.

const SHOWN = 20; // bars at most, and one for all others
const BOX = { width: 430, height: 214, left: 40, right: 10 };
const CURVE = { top: 10, bottom: 68 };
const BARS = { top: 98, bottom: 178 };
const ORDER = "in this order: logits → temperature → top-k → top-p → softmax → draw";
const PATIENCE = 150; // ms without a change before the kernel is asked

function render({ model, el }) {
  prepare(el, "Sampling explorer: which character comes next, and what temperature, top-k and top-p leave of it");
  const [names, examples] = [model.get("names"), model.get("examples")];
  const all = names.length;
  const begin = { temperature: 1, k: all, p: 1, seed: 1, example: 0 };
  const temperature = slider("1. Temperature", { min: 0, max: 3, step: 0.05 }, (x) => pick({ temperature: x }));
  const k = slider("2. top-k", { min: 1, max: all }, (x) => pick({ k: x }));
  const p = slider("3. top-p", { min: 0, max: 1, step: 0.01 }, (x) => pick({ p: x }));
  const seed = html("input", { type: "number", min: 1, max: 9999, step: 1, oninput: pickSeed });
  const again = html("button", { type: "button", onclick: () => pick({ seed: state.seed + 1 }) }, "Draw again");
  const draw = html("div", { class: "pair" }, html("label", {}, "4. Draw: seed", seed), again);
  const warning = warningLine();
  const answer = { answer: "answer", warn: warning.say };
  const { form } = textForm(model, "prompt", "Your own beginning", "Read", answer);
  const example = html("select", { onchange: () => pick({ example: Number(example.value) }) });
  fill(example, examples.map(({ prompt, nucleus }) => `${prompt} (${nucleus} of ${all} hold 0.9)`));
  const beside = html("label", { class: "beginning" }, "Another beginning", example);
  const panels = [panel(names), panel(names)];
  const status = statusLine();
  const tables = html("div", { class: "grids" }, ...panels.map(({ table }) => table));
  const details = html("details", { ontoggle: () => pick({}) }, html("summary", {}, "Show numbers"), tables);
  const begins = [[form, warning], [beside]];
  const halves = panels.map(({ element }, i) => html("div", { class: "half" }, ...begins[i], element));
  el.replaceChildren(
    html("div", { class: "controls four" }, temperature.element, k.element, p.element, draw),
    html("div", { class: "grids" }, ...halves),
    status,
    html("div", { class: "foot" }, details, html("p", { class: "order" }, ORDER)),
  );
  stepKeys(el, {
    step: (by) => pick({ seed: Math.max(1, state.seed + by) }),
    reset: () => pick(begin),
    first: temperature.input,
  });
  let state = begin;
  let isOut = false; // whether the kernel has yet to answer
  let asked, waiting;
  read();

  function pickSeed() {
    if (seed.validity.valid && seed.value) pick({ seed: Number(seed.value) });
  }

  function shown() {
    return [model.get("answer"), examples[state.example]];
  }

  function pick(change) {
    state = { ...state, ...change };
    temperature.show(state.temperature, twoDecimals(state.temperature));
    k.show(state.k, state.k === all ? `${all}, off` : String(state.k));
    p.show(state.p, state.p === 1 ? "1.00, off" : twoDecimals(state.p));
    if (Number(seed.value) !== state.seed) seed.value = state.seed;
    example.value = state.example;
    const filtered = shown().map(({ logits }) => filter(logits, state));
    const ranks = filtered.map(({ cumulative, count, mass }) => rankAt(mass * uniform(state.seed), cumulative, count));
    const texts = shown().map(({ prompt }, i) => ({ prompt, first: filtered[i].order[ranks[i]] }));
    panels.forEach(({ show }, i) => {
      show(filtered[i], { ...state, prompt: texts[i].prompt, drawn: ranks[i], full: details.open });
    });
    const sentences = filtered.map(({ count, mass }, i) => {
      const { prompt, first } = texts[i];
      const left = `${count} of ${all} are left, with ${twoDecimals(mass)} of the probability`;
      return `After “${prompt}” ${left}, and “${tokenLabel(names[first])}” is drawn.`;
    });
    status.say(sentences.join(" "));
    const { temperature: t, k: top_k, p: top_p, seed: number } = state;
    ask({ temperature: t, top_k, top_p, seed: number, texts });
  }

  /** Show how each text continues, as far as that is known, and ask the kernel for the rest: one question at a time. */
  function ask(question) {
    const key = JSON.stringify(question);
    const drawn = model.get("drawn");
    const rests = drawn.key === key ? drawn.texts : [];
    question.texts.forEach(({ prompt, first }, i) => panels[i].tell(prompt, names[first], rests[i]));
    asked = question;
    clearTimeout(waiting);
    if (drawn.key !== key) waiting = setTimeout(putQuestion, PATIENCE);
  }

  function putQuestion() {
    if (isOut) return;
    isOut = true;
    model.set("request", { ...asked, key: JSON.stringify(asked) });
    model.save_changes();
  }

  function answered() {
    isOut = false;
    ask(asked);
  }

  function read() {
    warning.say(model.get("answer").message);
    pick({});
  }

  model.on("change:answer", read);
  model.on("change:drawn", answered);
  return () => {
    clearTimeout(waiting);
    model.off("change:answer", read);
    model.off("change:drawn", answered);
  };
}

/**
 * Apply temperature, top-k and top-p, in this order. By rank: the tokens, their probability after the temperature, and
 * the sum so far. Then how many are left after each filter, and with what part of the probability.
 */
function filter(logits, { temperature, k, p }) {
  const order = logits.map((_, i) => i).sort((i, j) => logits[j] - logits[i] || i - j);
  const most = logits[order[0]];
  const powers = order.map((i, rank) => {
    if (!temperature) return Number(rank === 0);
    return Math.exp((logits[i] - most) / temperature);
  });
  const total = sum(powers);
  const probabilities = powers.map((x) => x / total);
  let reached = 0;
  const cumulative = probabilities.map((x) => (reached += x));
  const afterTemperature = temperature ? order.length : 1;
  const smallest = logits[order[Math.min(k, order.length) - 1]];
  const afterK = Math.min(afterTemperature, order.filter((i) => logits[i] >= smallest).length);
  const goal = p * cumulative[afterK - 1];
  const before = (rank) => (rank ? cumulative[rank - 1] : 0);
  const crossing = order.findIndex((_, rank) => rank > 0 && before(rank) >= goal);
  const count = p === 1 || crossing < 0 ? afterK : Math.min(afterK, crossing);
  return { order, probabilities, cumulative, afterTemperature, afterK, count, mass: cumulative[count - 1], goal };
}

/** The rank of the token, among the first `count`, whose stretch of the cumulative probability has this point. */
function rankAt(point, cumulative, count) {
  const rank = cumulative.findIndex((reached) => reached > point);
  return rank < 0 ? count - 1 : Math.min(rank, count - 1);
}

/** A number from 0 to 1 for this seed, uniformly distributed: one round of the generator mulberry32. */
function uniform(seed) {
  let t = (seed * 0x6d2b79f5) | 0;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

/** The filter that cut the token of this rank; empty where none did. */
function cutBy(rank, { count, afterK, afterTemperature }) {
  if (rank < count) return "";
  return rank < afterK ? "top-p" : rank < afterTemperature ? "top-k" : "temperature";
}

const LETTERS = { "": "", "top-p": "p", "top-k": "k", temperature: "0" };

/** One distribution: the sum so far above, sorted bars below, what is left in words, the text drawn, and a table. */
function panel(names) {
  const single = Math.min(SHOWN, names.length); // tokens with a bar of their own
  const rest = names.length - single;
  const slots = single + (rest ? 1 : 0);
  const wide = (BOX.width - BOX.left - BOX.right) / slots;
  const at = (slot) => BOX.left + slot * wide;
  const up = (share) => CURVE.bottom - share * (CURVE.bottom - CURVE.top);
  const hatch = `hatch-${Math.random().toString(36).slice(2)}`;
  const bars = Array.from({ length: slots }, (_, i) => svg("rect", { class: "bar", x: at(i) + 1, width: wide - 3 }));
  const marks = bars.map((_, i) => svg("text", { class: "small middle", x: at(i + 0.5) - 0.5 }));
  const labels = bars.map((_, i) => svg("text", { class: "middle", x: at(i + 0.5) - 0.5, y: BARS.bottom + 15 }));
  const highest = svg("text", { class: "small end", x: BOX.left - 5, y: BARS.top + 4 });
  const curve = svg("path", strokeOf(0));
  const goalLine = svg("line", { class: "limit", x1: BOX.left, x2: BOX.width - BOX.right });
  const goalName = svg("text", { class: "name", x: BOX.width - BOX.right - 2, "text-anchor": "end" });
  const border = svg("line", { class: "limit", y1: CURVE.top, y2: BARS.bottom });
  const point = svg("path", { class: "cursor" });
  const base = (y) => svg("line", { class: "axis", x1: BOX.left, x2: BOX.width - BOX.right, y1: y, y2: y });
  const sideways = (y, words) =>
    svg("text", { class: "small middle", x: 10, y, transform: `rotate(-90 10 ${y})` }, words);
  const units = { patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" };
  const pattern = svg("pattern", { id: hatch, width: 5, height: 5, ...units },
    svg("rect", { width: 5, height: 5, class: "hatch-ground" }),
    svg("line", { x1: 0, x2: 0, y1: 0, y2: 5, class: "hatch-line" }),
  );
  const axis = `next character, the likeliest first${rest ? `; +${rest}: all others` : ""}`;
  const picture = drawing(BOX.width, BOX.height, {},
    svg("defs", {}, pattern),
    base(CURVE.bottom), base(BARS.bottom),
    ...[0, 1].map((y) => svg("text", { class: "small end", x: BOX.left - 5, y: up(y) + 4 }, y)),
    svg("text", { class: "small end", x: BOX.left - 5, y: BARS.bottom + 4 }, "0"), highest,
    sideways((CURVE.top + CURVE.bottom) / 2, "sum so far"), sideways((BARS.top + BARS.bottom) / 2, "probability"),
    svg("text", { class: "small middle", x: (BOX.left + BOX.width) / 2, y: BOX.height - 6 }, axis),
    ...bars, ...marks, ...labels, goalLine, border, curve, point, goalName,
  );
  const caption = html("figcaption");
  const text = html("p", { class: "drawn" });
  const columns = ["character", "probability", "sum so far", "cut by", "drawn with"];
  const headings = html("tr", {}, ...columns.map((name) => html("th", { scope: "col" }, name)));
  const title = html("caption");
  const heads = names.map(() => html("th", { scope: "row" }));
  const cells = names.map(() => columns.slice(1).map(() => html("td")));
  const rows = names.map((_, i) => html("tr", {}, heads[i], ...cells[i]));
  const table = html("table", {}, title, html("thead", {}, headings), html("tbody", {}, ...rows));

  function show(filtered, { temperature, k, p, prompt, drawn, full }) {
    const { order, probabilities, cumulative, afterK, count, mass, goal } = filtered;
    const scale = nice(probabilities[0]);
    setText(highest, String(scale));
    for (const [i, bar] of bars.entries()) {
      const isRest = i === single;
      const share = isRest ? 1 - cumulative[single - 1] : probabilities[i];
      const tall = (BARS.bottom - BARS.top) * Math.min(1, share / scale);
      const cut = cutBy(i, filtered);
      setAttributes(bar, { y: BARS.bottom - tall, height: tall, fill: cut ? `url(#${hatch})` : "var(--query)" });
      setClass(bar, `bar${cut ? " cut" : ""}${i === drawn || (isRest && drawn >= single) ? " chosen" : ""}`);
      setAttributes(marks[i], { y: BARS.bottom - tall - 5 });
      const others = count < names.length ? `${count - single}/${rest}` : twoDecimals(Math.max(0, share));
      setText(marks[i], isRest && !cut ? others : LETTERS[cut]);
      setText(labels[i], isRest ? `+${rest}` : tiny(names[order[i]]));
    }
    const steps = bars.map((_, i) => {
      const [from, to] = [i ? cumulative[i - 1] : 0, i === single ? 1 : cumulative[i]];
      return `L${at(i)} ${up(from)}L${at(i)} ${up(to)}`;
    });
    setAttributes(curve, { d: `M${at(0)} ${up(0)}${steps.join("")}L${at(slots)} ${up(1)}` });
    const off = p === 1;
    goalLine.style.display = goalName.style.display = off ? "none" : "";
    setAttributes(goalLine, { y1: up(goal), y2: up(goal) });
    setAttributes(goalName, { y: up(goal) + (goal > 0.5 ? 12 : -4) });
    const share = `p = ${twoDecimals(p)}`;
    setText(goalName, afterK < names.length ? `${share} of what is left by then` : share);
    border.style.display = count < names.length ? "" : "none";
    const edge = at(Math.min(count, single + (rest && 0.5))) - 0.5; // somewhere among the others: in their middle
    setAttributes(border, { x1: edge, x2: edge });
    const slot = Math.min(drawn, single);
    const height = up(((drawn ? cumulative[drawn - 1] : 0) + cumulative[drawn]) / 2);
    setAttributes(point, { d: `M${BOX.left} ${height}H${at(slot + 0.5) - 0.5}V${BARS.top - 14}m-4 -6l4 6l4 -6` });
    const cuts = [`${names.length} tokens`];
    if (!temperature) cuts.push("temperature 0 leaves 1 (0 marks what it cuts)");
    if (k < names.length) cuts.push(`top-k ${k} leaves ${afterK} (k)`);
    if (!off) cuts.push(`top-p ${twoDecimals(p)} leaves ${count} (p)`);
    const result = `, with ${twoDecimals(mass)} of the probability; what is hatched is cut`;
    setText(caption, `${cuts.join(" → ")}${count < names.length ? result : ": nothing is cut"}.`);
    if (!full) return;
    setText(title, `After “${prompt}”, by rank`);
    for (const [rank, i] of order.entries()) {
      setText(heads[rank], tokenLabel(names[i]));
      const numbers = [probabilities[rank], cumulative[rank], rank < count ? probabilities[rank] / mass : 0];
      const [probability, reached, left] = numbers.map(sixDecimals);
      const words = [probability, reached, cutBy(rank, filtered) || "–", left];
      words.forEach((word, column) => setText(cells[rank][column], word));
    }
  }

  /** The text so far: the prompt, the character drawn, and how it continues, once the kernel has sent that. */
  function tell(prompt, first, rest) {
    const given = html("span", { class: "given" }, prompt);
    text.replaceChildren(given, html("strong", {}, tokenLabel(first)), rest ?? " …");
  }

  return { element: html("figure", {}, picture, caption, text), table, show, tell };
}

/** The end of a scale on which there is room for this share. */
function nice(share) {
  return [0.05, 0.1, 0.2, 0.5].find((end) => share <= end) ?? 1;
}

/** A token below a narrow bar: a character, or a special token's first letter in brackets. */
function tiny(name) {
  return name.length > 1 ? `[${name.replace(/\W/g, "").slice(0, 1)}]` : tokenLabel(name);
}

function sixDecimals(x) {
  return x.toFixed(6);
}

export default { render: guessFirst(render) };
