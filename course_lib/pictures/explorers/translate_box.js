// Type a sentence, read the translation, and see which source words each French word reads.

const SPACE = 84; // between the sentences, for the lines

function render({ model, el }) {
  prepare(el, "Translate a sentence and see what each French word reads");
  const name = `target-${model.model_id ?? Math.random()}`;
  const status = statusLine();
  const picture = html("div", { class: "picture" });
  const answer = { answer: "answer", warn: (words) => tell(words, true) };
  const { form } = textForm(model, "sentence", "An English sentence", "Translate", answer);
  el.replaceChildren(form, status, picture);

  function tell(words, isWarning) {
    status.classList.toggle("warning", isWarning);
    status.say(words);
  }

  function show() {
    const { source, target, weights, message } = model.get("answer");
    status.textContent = "";
    if (message) {
      tell(message, true);
      picture.replaceChildren();
      return;
    }
    tell(model.get("translation"), false);
    const [english, french] = [source, target].map(labelsOf);
    let chosen = sharpest(weights);
    const above = chipRow("English words, each with its numbers", source, "value");
    const below = chipChooser(name, "French words: choose one to see what it reads", target, "query", chosen, choose);
    const lines = svg("svg", { role: "img", class: "lines" });
    const reading = html("p", { "aria-live": "polite" });
    const numbers = numbersTable(target, source, "Rows: French words that ask. Columns: English words that are read.");
    numbers.show(weights);
    below.style.marginTop = `${SPACE}px`;
    const both = html("div", { class: "sentences" }, lines, above, below);
    picture.replaceChildren(both, reading, numbers.element);

    function choose(index) {
      chosen = index;
      draw();
    }

    /** Lines from the chip that asks to those that are read, wherever they are: a long sentence has several rows. */
    function draw() {
      const box = lines.getBoundingClientRect();
      if (!box.width) return;
      lines.setAttribute("viewBox", `0 0 ${box.width} ${box.height}`);
      const boxOf = (row, i) => row.querySelector(`[data-index="${i}"]`).getBoundingClientRect();
      const asks = boxOf(below, chosen);
      const [fromX, fromY] = [asks.left + asks.width / 2 - box.left, asks.top - box.top];
      const lineTo = (weight, i) => {
        const read = boxOf(above, i);
        const [toX, toY] = [read.left + read.width / 2 - box.left, read.bottom - box.top];
        const bend = (fromY - toY) / 2;
        return svg("path", {
          d: `M${toX} ${toY} C ${toX} ${toY + bend}, ${fromX} ${fromY - bend}, ${fromX} ${fromY}`,
          fill: "none",
          stroke: "var(--value)",
          "stroke-width": Math.max(0.3, 22 * weight),
          "stroke-opacity": 0.25 + 0.75 * weight,
        });
      };
      lines.replaceChildren(...weights[chosen].map(lineTo));
      const order = weights[chosen].map((weight, i) => [weight, english[i]]).sort((a, b) => b[0] - a[0]);
      const most = order.filter(([weight], rank) => rank === 0 || weight >= 0.05).slice(0, 4);
      const shares = most.map(([weight, word]) => `${twoDecimals(weight)} of “${word}”`).join(", ");
      const sentence = `“${french[chosen]}” reads ${shares}.`;
      lines.setAttribute("aria-label", sentence);
      setText(reading, sentence);
    }

    new ResizeObserver(draw).observe(lines);
    draw();
  }

  model.on("change:answer", show);
  show();
  return () => model.off("change:answer", show);
}

/** The row with the largest weight of all: the clearest one to start with. */
function sharpest(weights) {
  const most = weights.map((row) => Math.max(...row));
  return most.indexOf(Math.max(...most));
}

export default { render: guessFirst(render) };
