// Beam search as a growing tree. The kernel sends the candidates of every step, for every number of beams.

const COLUMNS = 6; // steps side by side; a longer search loses its first ones on the left
const NODE = { width: 100, height: 30 };
const [GAP, LINE, ROOT] = [34, 34, 60]; // between columns, from row to row, the width of the start
const THICKEST = 12;
const MARKS = { kept: "", ended: "■", cut: "…", dropped: "✗" };

function render({ model, el }) {
  prepare(el, "Beam explorer: the search tree that a beam search grows");
  const group = `beams-${Math.random().toString(36).slice(2)}`;
  const warning = warningLine();
  const answer = { answer: "result", warn: warning.say };
  const { form, input } = textForm(model, "sentence", "An English sentence", "Search", answer);
  form.hidden = !model.get("typed");
  const widths = html("fieldset");
  const step = slider("Step", { min: 1, max: 1 }, (x) => pick({ step: x }));
  const move = (words, by) => html("button", { type: "button", onclick: () => go(by) }, words);
  const alpha = slider("Length penalty", { min: 0, max: 2, step: 0.05 }, (x) => pick({ alpha: x }));
  const moves = html("div", { class: "pair" }, move("[ Back", -1), move("Next ]", 1));
  const controls = html("div", { class: "controls" }, widths, step.element, moves, alpha.element);
  const picture = html("figure", { class: "tree" });
  const note = html("figcaption", {},
    "Thick: likely. Solid: kept; dashed, ✗: dropped; ■: ended; …: cut at the limit; shaded: greedy. " +
      "Numbers: log-probability of the text so far.",
  );
  const status = statusLine();
  const [title, body] = [html("caption"), html("tbody")];
  const columns = ["rank", "text", "log-probability", "tokens", "score"];
  const head = html("tr", {}, ...columns.map((name) => html("th", { scope: "col" }, name)));
  const table = html("table", { class: "texts" }, title, html("thead", {}, head), body);
  const nested = html("div");
  const texts = html("details", {}, html("summary", {}, "Show the best texts"), table);
  const details = html("details", { ontoggle: fillList }, html("summary", {}, "Show the tree as a list"), nested);
  el.replaceChildren(form, warning, controls, status, picture, note, texts, details);
  stepKeys(el, { step: go, reset: () => pick(begin()), first: model.get("typed") ? input : step.input });
  let state, searches, join, choices;
  read();

  /** The first step, with the chosen number of beams if there is one, or else more than one beam where possible. */
  function begin() {
    const several = choices.find((width) => width > 1) ?? choices[0];
    const width = choices.includes(state?.width) ? state.width : several;
    return { width, step: 1, alpha: model.get("result").alpha };
  }

  /** Show the kernel's latest result. Where it is only a message, the last tree stays. */
  function read() {
    const result = model.get("result");
    warning.say(result.message);
    const isEmpty = !Object.keys(result.searches).length;
    for (const part of [controls, picture, note, status, texts, details]) part.hidden = isEmpty;
    if (isEmpty || (result.message && state)) return;
    ({ searches, join } = result);
    choices = Object.keys(searches).map(Number);
    const radio = (width) => {
      const input = html("input", { type: "radio", name: group, value: width, onchange: () => pick({ width }) });
      return html("label", { class: "inline" }, input, String(width));
    };
    widths.replaceChildren(html("legend", {}, "Beams"), ...choices.map(radio));
    pick(begin());
  }

  function go(by) {
    pick({ step: state.step + by });
  }

  function pick(change) {
    state = { ...state, ...change };
    const steps = searches[state.width];
    state.step = Math.min(steps.length, Math.max(1, state.step));
    widths.querySelector(`[value="${state.width}"]`).checked = true;
    step.input.max = steps.length;
    step.show(state.step, `${state.step} of ${steps.length}`);
    alpha.show(state.alpha, `α = ${twoDecimals(state.alpha)}`);
    const grown = steps.slice(0, state.step);
    picture.replaceChildren(tree(grown));
    picture.scrollLeft = picture.scrollWidth; // the step just taken is on the right
    const found = endings(grown, join, state.alpha);
    listTexts(found);
    if (details.open) fillList();
    const count = (fate) => grown.at(-1).filter((each) => fateOf(each) === fate).length;
    const cut = count("cut") ? [`${count("cut")} cut at ${tokens(state.step)}`] : [];
    const counts = [...["kept", "ended", "dropped"].map((fate) => `${count(fate)} ${fate}`), ...cut].join(", ");
    const best = found[0] ? bestOf(found[0]) : "No text has ended yet.";
    const beams = state.width === 1 ? "1 beam" : `${state.width} beams`;
    status.say(`Step ${state.step} of ${steps.length}, ${beams}: ${counts}. ${best}`);
  }

  function bestOf({ text, score, cut, length }) {
    const name = cut ? "Best text" : "Best text that has ended";
    return `${name}: “${text}”, ${cut ? `cut at ${tokens(length)}, ` : ""}score ${signed(score)}.`;
  }

  function listTexts(found) {
    const best = state.width === 1 ? "best text" : `${state.width} best texts`;
    const penalty = `((5 + tokens) / 6)^${twoDecimals(state.alpha)}`;
    setText(title, `The ${best} so far: score = log-probability ÷ ${penalty}`);
    const rows = found.slice(0, state.width).map(({ text, total, length, score, greedy, cut }, i) => {
      const notes = `${greedy ? " (greedy)" : ""}${cut ? ` (cut at ${tokens(length)})` : ""}`;
      const cells = [`${text}${notes}`, signed(total), length, signed(score)];
      return html("tr", {}, html("th", { scope: "row" }, i + 1), ...cells.map((words) => html("td", {}, words)));
    });
    const none = html("tr", {}, html("th", { scope: "row" }, "–"), html("td", { colspan: 4 }, "none has ended yet"));
    body.replaceChildren(...(rows.length ? rows : [none]));
  }

  function fillList() {
    if (details.open) nested.replaceChildren(listOf(searches[state.width].slice(0, state.step), 0, -1) ?? "");
  }

  model.on("change:result", read);
  return () => model.off("change:result", read);
}

/** What became of a candidate: "ended" where it wrote a stop token, "cut" where it only reached the longest length. */
function fateOf({ fate, stops }) {
  return fate === "ended" && !stops ? "cut" : fate;
}

function tokens(count) {
  return count === 1 ? "1 token" : `${count} tokens`;
}

/**
 * The texts that have ended or were cut, the best by score first. The score is the log-probability over the length
 * penalty.
 */
function endings(steps, join, alpha) {
  const ended = steps.flatMap((candidates, i) =>
    candidates.filter(({ fate }) => fate === "ended").map((each) => {
      const length = i + 1;
      const score = each.total / ((5 + length) / 6) ** alpha;
      const text = textOf(steps, i, each, join);
      return { text, total: each.total, length, greedy: each.greedy, score, cut: !each.stops };
    }),
  );
  return ended.sort((one, other) => other.score - one.score);
}

function textOf(steps, step, candidate, join) {
  const names = [];
  for (let each = candidate; each; each = steps[--step]?.[each.parent]) if (!each.stops) names.unshift(each.name);
  return names.join(join);
}

/** The tree as a nested list: the candidates of one step that extend candidate number `parent` of the step before. */
function listOf(steps, step, parent) {
  const items = (steps[step] ?? []).flatMap((each, i) => {
    if (each.parent !== parent) return [];
    const words = `${tokenLabel(each.name)} ${signed(each.total)}, ${fateOf(each)}${each.greedy ? ", greedy" : ""}`;
    const below = listOf(steps, step + 1, i);
    return [html("li", {}, words, ...(below ? [below] : []))];
  });
  return items.length ? html("ul", {}, ...items) : undefined;
}

/** The last steps of the tree, from left to right. In each, the candidates of one parent are together, best first. */
function tree(steps) {
  const first = Math.max(0, steps.length - COLUMNS);
  const numbered = (candidates) => candidates.map((each, index) => ({ ...each, index }));
  const columns = steps.slice(first).map(numbered);
  const roots = first
    ? numbered(steps[first - 1]).filter(({ fate }) => fate === "kept")
    : [{ index: -1, name: "start", total: 0, fate: "kept", greedy: true }];
  const most = Math.max(roots.length, ...columns.map((column) => column.length));
  const [height, rootWidth] = [most * LINE + 34, first ? NODE.width : ROOT];
  const width = 8 + rootWidth + COLUMNS * (NODE.width + GAP) + (first ? 0 : NODE.width - ROOT);
  const placed = (column, x) => {
    const top = 26 + ((most - column.length + 1) * LINE) / 2;
    return column.map((each, i) => ({ ...each, x, y: top + i * LINE }));
  };
  let before = placed(roots, 4);
  const [lines, nodes] = [[], first ? before.map((each) => node(each, rootWidth)) : [root(before[0])]];
  const heads = [svg("text", { x: 4 + rootWidth / 2, y: 14, class: "small middle" }, first ? `step ${first}` : "")];
  columns.forEach((column, i) => {
    const x = 4 + rootWidth + GAP + i * (NODE.width + GAP);
    heads.push(svg("text", { x: x + NODE.width / 2, y: 14, class: "small middle" }, `step ${first + i + 1}`));
    const order = (each) => before.findIndex(({ index }) => index === each.parent);
    const now = placed([...column].sort((one, other) => order(one) - order(other) || other.total - one.total), x);
    for (const each of now) {
      const from = before[order(each)];
      lines.push(line(from, each, i ? NODE.width : rootWidth));
      nodes.push(node(each, NODE.width));
    }
    before = now;
  });
  return drawing(width, height, {}, ...heads, ...lines, ...nodes);
}

function line(from, to, fromWidth) {
  const [x1, x2] = [from.x + fromWidth, to.x];
  const middle = (x1 + x2) / 2;
  const thick = Math.max(1.2, THICKEST * Math.exp(to.total));
  const d = `M${x1} ${from.y}C${middle} ${from.y} ${middle} ${to.y} ${x2} ${to.y}`;
  return svg("path", { d, class: `branch ${to.fate}`, "stroke-width": thick.toFixed(2) });
}

function root({ x, y }) {
  return svg("g", {},
    svg("rect", { x, y: y - 15, width: ROOT, height: 30, rx: 15, class: "node" }),
    svg("text", { x: x + ROOT / 2, y: y + 4, class: "middle" }, "start"),
  );
}

function node({ x, y, name, total, fate, stops, greedy }, width) {
  return svg("g", { class: `${fate}${greedy ? " greedy" : ""}` },
    svg("rect", { x, y: y - NODE.height / 2, width, height: NODE.height, rx: 6, class: "node" }),
    svg("text", { x: x + 7, y: y - 3 }, short(name)),
    svg("text", { x: x + width - 6, y: y - 3, class: "end" }, MARKS[fateOf({ fate, stops })]),
    svg("text", { x: x + 7, y: y + 11, class: "small" }, `${signed(total)}${greedy ? " greedy" : ""}`),
  );
}

/** Two decimals, with a true minus sign. */
function signed(x) {
  return twoDecimals(x).replace("-", "−");
}

export default { render: guessFirst(render) };
