// What comes next: two distributions under the same filters. The kernel sends the logits, and goes on with what is drawn.

const SHOWN = 20; // bars at most, and one for all others
const BOX = { width: 424, height: 278, left: 40, right: 10 };
const CURVE = { top: 14, bottom: 94 };
const BARS = { top: 132, bottom: 232 };
const PATIENCE = 150; // ms without a change before the kernel is asked

function render({ model, el }) {
  prepare(el, "Sampling explorer: which character comes next, and what temperature, top-k and top-p leave of it");
  const [names, examples] = [model.get("names"), model.get("examples")];
  const all = names.length;
  const begin = { temperature: 1, k: all, p: 1, seed: 1, example: 0 };
  const temperature = slider("1. Temperature", { min: 0, max: 3, step: 0.05 }, (x) => pick({ temperature: x }));
  const k = slider("2. top-k", { min: 1, max: all }, (x) => pick({ k: x }));
  const p = slider("3. top-p", { min: 0, max: 1, step: 0.01 }, (x) => pick({ p: x }));
  const seed = html("input", { type: "number", min: 1, max: 9999, step: 1, oninput: () => seed.validity.valid && seed.value && pick({ seed: Number(seed.value) }) });
  const again = html("button", { type: "button", onclick: () => pick({ seed: state.seed + 1 }) }, "Draw again");
  const draw = html("div", { class: "pair" }, html("label", {}, "4. Draw: seed", seed), again);
  const input = html("input", { type: "text", value: model.get("prompt"), autocomplete: "off", spellcheck: "false" });
  const form = html("form", { onsubmit: send }, html("label", {}, "Your own beginning", input), html("button", {}, "Read"));
  const example = html("select", { onchange: () => pick({ example: Number(example.value) }) });
  fill(example, examples.map(({ prompt, nucleus }) => `${prompt} (${nucleus} of ${all} hold 0.9)`));
  const beside = html("label", { class: "beginning" }, "Another beginning", example);
  const panels = [panel(names), panel(names)];
  const status = statusLine();
  const warning = html("p", { role: "alert", class: "warning", hidden: true });
  const details = html("details", { ontoggle: () => pick({}) }, html("summary", {}, "Show numbers"), html("div", { class: "grids" }, ...panels.map(({ table }) => table)));
  el.replaceChildren(
    html("div", { class: "controls four" }, temperature.element, k.element, p.element, draw),
    html("p", { class: "order" }, "In this order: logits → temperature → top-k → top-p → softmax → draw"),
    html("div", { class: "grids" }, ...panels.map(({ element }, i) => html("div", { class: "half" }, [form, beside][i], element))),
    warning, status, details,
  );
  stepKeys(el, { step: (by) => pick({ seed: Math.max(1, state.seed + by) }), reset: () => pick(begin), first: temperature.input });
  let state = begin;
  let isOut = false; // whether the kernel has yet to answer
  let asked, waiting;
  read();

  function send(event) {
    event.preventDefault();
    model.set("prompt", input.value);
    model.save_changes();
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
    const found = shown().map(({ logits }) => left(logits, state));
    const chosen = found.map(({ cumulative, kept, mass }) => land(cumulative, kept, mass * uniform(state.seed)));
    const texts = shown().map(({ prompt }, i) => ({ prompt, first: found[i].order[chosen[i]] }));
    panels.forEach(({ show }, i) => show(found[i], { ...state, prompt: texts[i].prompt, drawn: chosen[i], full: details.open }));
    const parts = found.map(({ kept, mass }, i) => `After “${texts[i].prompt}” ${kept} of ${all} are left, with ${twoDecimals(mass)} of the probability, and “${tokenLabel(names[texts[i].first])}” is drawn.`);
    status.say(parts.join(" "));
    const { temperature: t, k: top_k, p: top_p, seed: number } = state;
    ask({ temperature: t, top_k, top_p, seed: number, texts });
  }

  /** Show how each text goes on, as far as that is known, and ask the kernel for the rest: one question at a time. */
  function ask(question) {
    const key = JSON.stringify(question);
    const drawn = model.get("drawn");
    panels.forEach(({ tell }, i) => tell(question.texts[i].prompt, names[question.texts[i].first], drawn.key === key ? drawn.texts[i] : undefined));
    asked = question;
    clearTimeout(waiting);
    if (drawn.key !== key) waiting = setTimeout(putQuestion, PATIENCE);
  }

  function putQuestion() {
    if (isOut) return;
    isOut = true;
    model.set("wanted", { ...asked, key: JSON.stringify(asked) });
    model.save_changes();
  }

  function answered() {
    isOut = false;
    ask(asked);
  }

  function read() {
    const { message = "" } = model.get("answer");
    warning.hidden = !message;
    setText(warning, message);
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
 * What temperature, top-k and top-p leave, in this order. By rank: the tokens, their probability after the temperature,
 * and the sum so far; then how many are left after each filter, and with what part of the probability.
 */
function left(logits, { temperature, k, p }) {
  const order = logits.map((_, i) => i).sort((i, j) => logits[j] - logits[i] || i - j);
  const most = logits[order[0]];
  const powers = order.map((i, rank) => (temperature ? Math.exp((logits[i] - most) / temperature) : Number(rank === 0)));
  const total = sum(powers);
  const probabilities = powers.map((x) => x / total);
  let reached = 0;
  const cumulative = probabilities.map((x) => (reached += x));
  const afterTemperature = temperature ? order.length : 1;
  const smallest = logits[order[Math.min(k, order.length) - 1]];
  const afterK = Math.min(afterTemperature, order.filter((i) => logits[i] >= smallest).length);
  const wanted = p * cumulative[afterK - 1];
  const before = (rank) => (rank ? cumulative[rank - 1] : 0);
  const crossing = order.findIndex((_, rank) => rank > 0 && before(rank) >= wanted);
  const kept = p === 1 || crossing < 0 ? afterK : Math.min(afterK, crossing);
  return { order, probabilities, cumulative, afterTemperature, afterK, kept, mass: cumulative[kept - 1], wanted };
}

/** The rank that a point between 0 and the mass of what is kept falls on. */
function land(cumulative, kept, point) {
  const rank = cumulative.findIndex((reached) => reached > point);
  return rank < 0 ? kept - 1 : Math.min(rank, kept - 1);
}

/** The number of this seed, evenly spread from 0 to 1: one round of the generator mulberry32. */
function uniform(seed) {
  let t = (seed * 0x6d2b79f5) | 0;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

/** What cut the token of this rank; empty where nothing did. */
function cutBy(rank, { kept, afterK, afterTemperature }) {
  if (rank < kept) return "";
  return rank < afterK ? "top-p" : rank < afterTemperature ? "top-k" : "temperature";
}

const LETTERS = { "": "", "top-p": "p", "top-k": "k", temperature: "0" };

/** One distribution: the sum so far above, sorted bars below, what is left in words, the text drawn, and a table. */
function panel(names) {
  const count = Math.min(SHOWN, names.length);
  const rest = names.length - count;
  const slots = count + (rest ? 1 : 0);
  const wide = (BOX.width - BOX.left - BOX.right) / slots;
  const at = (slot) => BOX.left + slot * wide;
  const up = (share) => CURVE.bottom - share * (CURVE.bottom - CURVE.top);
  const hatch = `hatch-${Math.random().toString(36).slice(2)}`;
  const bars = Array.from({ length: slots }, (_, i) => svg("rect", { class: "bar", x: at(i) + 1, width: wide - 3 }));
  const marks = bars.map((_, i) => svg("text", { class: "small middle", x: at(i + 0.5) - 0.5 }));
  const labels = bars.map((_, i) => svg("text", { class: "middle", x: at(i + 0.5) - 0.5, y: BARS.bottom + 15 }));
  const highest = svg("text", { class: "small end", x: BOX.left - 5, y: BARS.top + 4 });
  const curve = svg("path", strokeOf(0));
  const wanted = svg("line", { class: "wanted", x1: BOX.left, x2: BOX.width - BOX.right });
  const named = svg("text", { class: "name", x: BOX.width - BOX.right - 2, "text-anchor": "end" });
  const border = svg("line", { class: "wanted", y1: CURVE.top, y2: BARS.bottom });
  const point = svg("path", { class: "cursor" });
  const base = (y) => svg("line", { class: "axis", x1: BOX.left, x2: BOX.width - BOX.right, y1: y, y2: y });
  const sideways = (y, words) => svg("text", { class: "small middle", x: 10, y, transform: `rotate(-90 10 ${y})` }, words);
  const picture = svg("svg", { viewBox: `0 0 ${BOX.width} ${BOX.height}`, width: BOX.width, height: BOX.height, "aria-hidden": "true" },
    svg("defs", {}, svg("pattern", { id: hatch, width: 5, height: 5, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
      svg("rect", { width: 5, height: 5, class: "hatch-ground" }), svg("line", { x1: 0, x2: 0, y1: 0, y2: 5, class: "hatch-line" }))),
    base(CURVE.bottom), base(BARS.bottom),
    ...[0, 1].map((y) => svg("text", { class: "small end", x: BOX.left - 5, y: up(y) + 4 }, y)),
    svg("text", { class: "small end", x: BOX.left - 5, y: BARS.bottom + 4 }, "0"), highest,
    sideways((CURVE.top + CURVE.bottom) / 2, "sum so far"), sideways((BARS.top + BARS.bottom) / 2, "probability"),
    svg("text", { class: "small middle", x: (BOX.left + BOX.width) / 2, y: BOX.height - 6 }, `next character, the likeliest first${rest ? `; +${rest}: all others` : ""}`),
    ...bars, ...marks, ...labels, wanted, border, curve, point, named,
  );
  const caption = html("figcaption");
  const text = html("p", { class: "drawn" });
  const [headings, column] = [["character", "probability", "sum so far", "cut by", "drawn with"], (name) => html("th", { scope: "col" }, name)];
  const title = html("caption");
  const heads = names.map(() => html("th", { scope: "row" }));
  const cells = names.map(() => headings.slice(1).map(() => html("td")));
  const rows = names.map((_, i) => html("tr", {}, heads[i], ...cells[i]));
  const table = html("table", {}, title, html("thead", {}, html("tr", {}, ...headings.map(column))), html("tbody", {}, ...rows));

  function show(found, { temperature, k, p, prompt, drawn, full }) {
    const { order, probabilities, cumulative, afterK, kept, mass } = found;
    const scale = nice(probabilities[0]);
    setText(highest, String(scale));
    for (const [i, bar] of bars.entries()) {
      const isRest = i === count;
      const share = isRest ? 1 - cumulative[count - 1] : probabilities[i];
      const tall = (BARS.bottom - BARS.top) * Math.min(1, share / scale);
      const cut = cutBy(i, found);
      setAttributes(bar, { y: BARS.bottom - tall, height: tall, fill: cut ? `url(#${hatch})` : "var(--query)" });
      setClass(bar, `bar${cut ? " cut" : ""}${i === drawn || (isRest && drawn >= count) ? " chosen" : ""}`);
      setAttributes(marks[i], { y: BARS.bottom - tall - 5 });
      const others = kept < names.length ? `${kept - count}/${rest}` : twoDecimals(Math.max(0, share));
      setText(marks[i], isRest && !cut ? others : LETTERS[cut]);
      setText(labels[i], isRest ? `+${rest}` : tiny(names[order[i]]));
    }
    const steps = bars.map((_, i) => `L${at(i)} ${up(i ? cumulative[i - 1] : 0)}L${at(i)} ${up(i === count ? 1 : cumulative[i])}`);
    setAttributes(curve, { d: `M${at(0)} ${up(0)}${steps.join("")}L${at(slots)} ${up(1)}` });
    const off = p === 1;
    wanted.style.display = named.style.display = off ? "none" : "";
    setAttributes(wanted, { y1: up(found.wanted), y2: up(found.wanted) });
    setAttributes(named, { y: up(found.wanted) + (found.wanted > 0.5 ? 12 : -4) });
    setText(named, afterK < names.length ? `p = ${twoDecimals(p)} of what is left by then` : `p = ${twoDecimals(p)}`);
    border.style.display = kept < names.length ? "" : "none";
    const edge = at(Math.min(kept, count + (rest && 0.5))) - 0.5; // somewhere among the others: in their middle
    setAttributes(border, { x1: edge, x2: edge });
    const slot = Math.min(drawn, count);
    const height = up(((drawn ? cumulative[drawn - 1] : 0) + cumulative[drawn]) / 2);
    setAttributes(point, { d: `M${BOX.left} ${height}H${at(slot + 0.5) - 0.5}V${BARS.top - 14}m-4 -6l4 6l4 -6` });
    const cuts = [`${names.length} characters`];
    if (!temperature) cuts.push("temperature 0 leaves 1 (0 marks what it cuts)");
    if (k < names.length) cuts.push(`top-k ${k} leaves ${afterK} (k)`);
    if (!off) cuts.push(`top-p ${twoDecimals(p)} leaves ${kept} (p)`);
    setText(caption, `${cuts.join(" → ")}${kept < names.length ? `, with ${twoDecimals(mass)} of the probability; what is hatched is cut` : ": nothing is cut"}.`);
    if (!full) return;
    setText(title, `After “${prompt}”, by rank`);
    for (const [rank, i] of order.entries()) {
      setText(heads[rank], tokenLabel(names[i]));
      const numbers = [sixDecimals(probabilities[rank]), sixDecimals(cumulative[rank]), cutBy(rank, found) || "–", sixDecimals(rank < kept ? probabilities[rank] / mass : 0)];
      numbers.forEach((words, c) => setText(cells[rank][c], words));
    }
  }

  /** The text so far: the prompt, the character drawn, and how it goes on once the kernel has said it. */
  function tell(prompt, first, rest) {
    text.replaceChildren(html("span", { class: "given" }, prompt), html("strong", {}, tokenLabel(first)), rest === undefined ? " …" : rest);
  }

  return { element: html("figure", {}, picture, caption, text), table, show, tell };
}

/** The end of a scale that holds this share. */
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
