// Type a sentence, read the translation, and see which source words each French word reads.

const HEIGHT = 120;

function render({ model, el }) {
  prepare(el, "Translate a sentence and see what each French word reads");
  const name = `target-${model.model_id ?? Math.random()}`;
  const { form } = textForm(model, "sentence", "An English sentence", "Translate");
  const status = statusLine();
  const picture = html("div", { class: "picture" });
  el.replaceChildren(form, status, picture);

  function show() {
    const { source, target, weights, message } = model.get("answer");
    status.classList.toggle("warning", Boolean(message));
    status.textContent = "";
    if (message) {
      status.say(message);
      picture.replaceChildren();
      return;
    }
    status.say(model.get("translation"));
    let chosen = widest(weights);
    const above = chipRow("English words, each with its numbers", source, "value");
    const below = chipChooser(name, "French words: choose one to see what it reads", target, "query", chosen, choose);
    const lines = svg("svg", { height: HEIGHT, role: "img", class: "lines" });
    const reading = html("p", { "aria-live": "polite" });
    const numbers = numbersTable(target, source, "Rows: French words that ask. Columns: English words that are read.");
    numbers.show(weights);
    picture.replaceChildren(above, lines, below, reading, numbers.element);

    function choose(index) {
      chosen = index;
      draw();
    }

    function draw() {
      const box = lines.getBoundingClientRect();
      if (!box.width) return;
      lines.setAttribute("viewBox", `0 0 ${box.width} ${HEIGHT}`);
      const middle = (row, i) => {
        const chip = row.querySelector(`[data-index="${i}"]`).getBoundingClientRect();
        return chip.left + chip.width / 2 - box.left;
      };
      const from = middle(below, chosen);
      const lineTo = (weight, i) => {
        const to = middle(above, i);
        return svg("path", {
          d: `M${to} 2 C ${to} ${HEIGHT / 2}, ${from} ${HEIGHT / 2}, ${from} ${HEIGHT - 2}`,
          fill: "none",
          stroke: "var(--value)",
          "stroke-width": Math.max(0.3, 22 * weight),
          "stroke-opacity": 0.25 + 0.75 * weight,
        });
      };
      lines.replaceChildren(...weights[chosen].map(lineTo));
      const order = weights[chosen].map((weight, i) => [weight, source[i]]).sort((a, b) => b[0] - a[0]);
      const most = order.filter(([weight], rank) => rank === 0 || weight >= 0.05).slice(0, 4);
      const shares = most.map(([weight, word]) => `${twoDecimals(weight)} of “${tokenLabel(word)}”`).join(", ");
      const sentence = `“${tokenLabel(target[chosen])}” reads ${shares}.`;
      lines.setAttribute("aria-label", sentence);
      reading.textContent = sentence;
    }

    new ResizeObserver(draw).observe(lines);
    draw();
  }

  model.on("change:answer", show);
  show();
  return () => model.off("change:answer", show);
}

export default { render: guessFirst(render) };
