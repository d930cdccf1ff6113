// Training runs of deep models, step by step: the gradient's length by layer, and the loss. The kernel sends all steps.

function render({ model, el }) {
  prepare(el, "Depth explorer: gradient by layer, and loss, at each step of training");
  const runs = model.get("runs");
  const names = Object.keys(runs);
  const steps = Math.max(...names.map((name) => runs[name].loss.length));
  const layers = runs[names[0]].gradient[0].length;
  let state = { step: 0, shown: new Set(names.slice(0, LOOK.lines.length)) }; // as many as there are line styles
  const step = slider("Step", { min: 1, max: steps }, (value) => pick({ step: value - 1 }));
  const boxes = names.map((name) => {
    const box = html("input", { type: "checkbox", checked: state.shown.has(name), onchange: () => toggle(name, box.checked) });
    return html("label", { class: "inline" }, box, name);
  });
  const choice = html("fieldset", {}, html("legend", {}, "Runs"), ...boxes);
  const gradients = html("figure");
  const losses = html("figure");
  const status = statusLine();
  const numbers = html("div");
  el.replaceChildren(html("div", { class: "controls" }, step.element, choice), html("div", { class: "grids" }, gradients, losses), status, numbers);
  el.addEventListener("keydown", (event) => {
    if (event.key === "[") pick({ step: Math.max(0, state.step - 1) });
    else if (event.key === "]") pick({ step: Math.min(steps - 1, state.step + 1) });
    else if (event.key.toLowerCase() === "r" && !event.ctrlKey && !event.metaKey) pick({ step: 0 });
    else if (event.key === "Escape") step.input.focus();
  });
  const every = names.flatMap((name) => runs[name].gradient.flat()).filter((x) => x > 0);
  const [low, high] = [Math.floor(Math.log10(Math.min(...every))), Math.ceil(Math.log10(Math.max(...every)))];
  const most = Math.max(...names.flatMap((name) => runs[name].loss.filter(Number.isFinite)));
  pick({});

  function toggle(name, on) {
    on ? state.shown.add(name) : state.shown.delete(name);
    pick({});
  }

  function pick(change) {
    state = { ...state, ...change };
    step.show(state.step + 1, `${state.step + 1} of ${steps}`);
    const chosen = names.filter((name) => state.shown.has(name));
    const now = (name) => runs[name].gradient[Math.min(state.step, runs[name].gradient.length - 1)];
    gradients.replaceChildren(
      curves({
        width: 400, height: 260,
        x: { name: "layer", min: 1, max: layers, ticks: [1, layers] },
        y: { name: "length of the gradient", min: low, max: high, ticks: Array.from({ length: high - low + 1 }, (_, i) => [low + i, (10 ** (low + i)).toPrecision(1)]) },
        series: Object.fromEntries(chosen.map((name) => [name, now(name).map((x, i) => [i + 1, x > 0 ? Math.log10(x) : NaN])])),
      }),
      html("figcaption", {}, `at step ${state.step + 1}; each tick is ten times the one below`),
    );
    losses.replaceChildren(
      curves({
        width: 400, height: 260,
        x: { name: "step", min: 1, max: steps, ticks: [1, steps], cursor: state.step + 1 },
        y: { name: "loss in nats", min: 0, max: most, ticks: [[0, "0"], [most, most.toFixed(1)]] },
        series: Object.fromEntries(chosen.map((name) => [name, runs[name].loss.map((x, i) => [i + 1, x ?? NaN])])),
      }),
      html("figcaption", {}, "the loss of each run"),
    );
    const ratio = (name) => `${name}: last layer ${(now(name).at(-1) / now(name)[0]).toPrecision(2)} times the first`;
    status.say(`Step ${state.step + 1}. ${chosen.map(ratio).join("; ")}.`);
    const table = numbersTable(chosen, Array.from({ length: layers }, (_, i) => `layer ${i + 1}`), "Length of the gradient at this step");
    table.show(chosen.map(now));
    table.element.open = numbers.querySelector("details")?.open ?? false;
    numbers.replaceChildren(table.element);
  }
}

export default { render };
