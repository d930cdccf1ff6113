// Training runs of deep models, step by step: the gradient's length by layer, and the loss. The kernel sends all steps.

const WIDTH = 430;
const HEIGHT = 250;
const TICKS = 7; // at most, on the scale of the gradient
const LEAP = 3; // a loss of more than this many times the largest first loss is drawn at the top

function render({ model, el }) {
  prepare(el, "Depth explorer: gradient by layer, and loss, at each step of training");
  const runs = model.get("runs");
  const names = Object.keys(runs);
  const steps = Math.max(...names.map((name) => runs[name].loss.length));
  const layers = Math.max(...names.map((name) => runs[name].gradient[0].length));
  const most = LOOK.lines.length; // runs at a time, each with a line style of its own
  const styles = new Map(names.slice(0, most).map((name, i) => [name, i])); // of the runs that are shown
  let now = 0;
  const step = slider("Step", { min: 1, max: steps }, (value) => go(value - 1));
  const boxes = names.map((name) =>
    html("input", { type: "checkbox", checked: styles.has(name), onchange: () => toggle(name) }),
  );
  const labels = names.map((name, i) => html("label", { class: "inline" }, boxes[i], name));
  const legend = names.length > most ? `Runs, ${most} at a time` : "Runs";
  const choice = html("fieldset", {}, html("legend", {}, legend), ...labels);
  const gradients = html("figure");
  const losses = html("figure");
  const status = statusLine();
  const numbers = html("div");
  const [low, high] = decades(names.flatMap((name) => runs[name].gradient.flat()));
  const top = highest(names.map((name) => runs[name].loss));
  let lossChart, table;
  const controls = html("div", { class: "controls" }, step.element, choice);
  el.replaceChildren(controls, html("div", { class: "grids" }, gradients, losses), status, numbers);
  stepKeys(el, { step: (by) => go(Math.min(steps - 1, Math.max(0, now + by))), reset: () => go(0), first: step.input });
  choose();

  function toggle(name) {
    const free = LOOK.lines.findIndex((_, i) => ![...styles.values()].includes(i));
    if (!styles.delete(name)) styles.set(name, free);
    choose();
  }

  function shown() {
    return names.filter((name) => styles.has(name));
  }

  function seriesOf(pointsOf) {
    return shown().map((name) => ({ name, style: styles.get(name), points: pointsOf(name) }));
  }

  /** Draw what depends on the choice of runs alone: their losses, and the frame of the table. */
  function choose() {
    for (const box of boxes) box.disabled = !box.checked && styles.size === most;
    lossChart = curves({
      width: WIDTH, height: HEIGHT,
      x: { name: "step", min: 1, max: steps, ticks: [1, steps], cursor: now + 1 },
      y: { name: "loss in nats", min: 0, max: top.drawn, ticks: [[0, "0"], [top.drawn, top.drawn.toFixed(1)]] },
      series: seriesOf((name) => runs[name].loss.map((x, i) => [i + 1, x === null ? NaN : Math.min(x, top.drawn)])),
    });
    const cut = top.drawn < top.real ? `; higher ones, up to ${top.real.toPrecision(2)}, are drawn at the top` : "";
    losses.replaceChildren(lossChart.element, html("figcaption", {}, `the loss of each run${cut}`));
    const columns = Array.from({ length: layers }, (_, i) => `layer ${i}`);
    const plain = { digits: twoFigures, label: (name) => name };
    table = numbersTable(shown(), columns, "Length of the gradient at this step; –: none, or not finite", plain);
    putTable(numbers, table);
    go(now);
  }

  function go(to) {
    now = to;
    step.show(to + 1, `${to + 1} of ${steps}`);
    lossChart.moveCursor(to + 1);
    const lengths = (name) => runs[name].gradient[to] ?? [];
    const chart = curves({
      width: WIDTH, height: HEIGHT,
      x: { name: "layer", min: 0, max: layers - 1, ticks: [0, layers - 1] },
      y: { name: "length of the gradient", min: low, max: high, ticks: ticksBetween(low, high) },
      series: seriesOf((name) => lengths(name).map((x, i) => [i, x > 0 ? Math.log10(x) : NaN])),
    });
    const note = `at step ${to + 1}; the scale goes up by factors of ten`;
    gradients.replaceChildren(chart.element, html("figcaption", {}, note));
    table.show(shown().map(lengths));
    const summaries = shown().map((name) => `${name}: ${summary(runs[name], to)}`);
    status.say(`Step ${to + 1}. ${summaries.join("; ") || "No run is chosen"}.`);
  }
}

/** One run at one step, in words. */
function summary({ gradient, loss }, step) {
  if (step >= gradient.length) return `ended at step ${gradient.length}`;
  if (gradient[step].includes(null)) return "gradient not finite";
  if (loss[step] === null) return "loss not finite";
  const [first, last] = [gradient[step][0], gradient[step].at(-1)];
  if (!first || !last) return `no gradient in the ${first ? "last" : "first"} layer`;
  return `last layer ${times(last / first)} the first`;
}

/** A ratio in words, with two significant figures and no exponent: "0.13 times", "2,400 times". */
function times(ratio) {
  const figures = { maximumSignificantDigits: 2, minimumSignificantDigits: 2 };
  const words = ratio < 1e-4 ? ratio.toExponential(0).replace("-", "−") : ratio.toLocaleString("en-US", figures);
  return `${words} times`;
}

/** The powers of ten that hold all lengths above 0. */
function decades(lengths) {
  const exponents = lengths.filter((x) => x > 0).map(Math.log10);
  if (!exponents.length) return [-1, 0];
  const low = Math.floor(exponents.reduce((one, other) => Math.min(one, other)));
  return [low, Math.max(low + 1, Math.ceil(exponents.reduce((one, other) => Math.max(one, other))))];
}

function ticksBetween(low, high) {
  const stride = Math.ceil((high - low + 1) / TICKS);
  const exponents = Array.from({ length: Math.floor((high - low) / stride) + 1 }, (_, i) => low + i * stride);
  return exponents.map((exponent) => [exponent, powerOfTen(exponent)]);
}

/** A power of ten, short enough for the space beside the scale. */
function powerOfTen(exponent) {
  return exponent < -3 ? `1e−${-exponent}` : (10 ** exponent).toPrecision(1);
}

/** The highest loss of all, and the highest that is drawn: a run that diverges would squash all others. */
function highest(losses) {
  const most = (numbers) => numbers.reduce((one, other) => Math.max(one, other), 0); // null counts as 0
  const real = most(losses.flat()) || 1;
  return { real, drawn: Math.min(real, LEAP * most(losses.map((run) => run[0])) || real) };
}

/** Two significant figures, or a dash for what is missing. */
function twoFigures(x) {
  return x === null || x === undefined ? "–" : x.toPrecision(2);
}

export default { render: guessFirst(render) };
