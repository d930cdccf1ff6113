// A sentence through several translators: what their beams found, and what each word of the chosen text reads.

function render({ model, el }) {
  prepare(el, "Explorer of translations: what several machines write, and what each of their words reads");
  const name = `texts-${Math.random().toString(36).slice(2)}`;
  const warning = warningLine();
  const own = textForm(model, "sentence", "An English sentence", "Translate", { answer: "found", warn: warning.say });
  const texts = html("div", { class: "places" });
  const status = statusLine();
  const picture = html("div", { class: "low" });
  el.replaceChildren(own.form, warning, texts, status, picture);
  stepKeys(el, {
    step: (by) => all.length && pick((chosen + by + all.length) % all.length),
    reset: () => all.length && pick(0),
    first: own.input,
  });
  let [all, inputs, chosen] = [[], [], 0];
  model.on("change:found", arrive);
  arrive();
  return () => model.off("change:found", arrive);

  function arrive() {
    const { message, machines } = model.get("found");
    warning.say(message);
    if (message || !machines) return;
    all = Object.entries(machines).flatMap(([machine, several]) =>
      several.map((each, rank) => ({ ...each, machine, rank, of: several.length })),
    );
    inputs = all.map((_, i) => html("input", { type: "radio", name, value: i, onchange: () => pick(i) }));
    const columns = Object.keys(machines).map((machine) => {
      const rows = all.flatMap((each, i) => (each.machine === machine ? [row(each, inputs[i])] : []));
      return html("div", {}, html("b", {}, machine), ...rows);
    });
    const legend =
      "Choose a text with the mouse or the arrow keys. The order is that of the beam search, which also counts " +
      "lengths; the number is a text's share of the probability of all texts found";
    texts.replaceChildren(
      html("div", { class: "machines", role: "radiogroup", "aria-label": legend }, ...columns),
      html("span", { class: "legend", "aria-hidden": "true" }, legend),
    );
    pick(0);
  }

  function row({ text, share }, input) {
    const words = html("span", { title: text, lang: "fr" }, text || "(nothing)");
    return html("label", { class: "text" }, input, words, html("span", {}, twoDecimals(share)));
  }

  function pick(i) {
    chosen = i;
    inputs[i].checked = true;
    const { machine, rank, of, share, source, target, weights } = all[i];
    const which = of === 1 ? "the only text" : `text ${rank + 1} of ${of}, with a share of ${twoDecimals(share)}`;
    status.say(`${machine}: ${which}.${weights ? "" : NO_WEIGHTS}`);
    const wasOpen = Boolean(picture.querySelector("details")?.open);
    if (weights) {
      picture.replaceChildren(...attentionLines(source, target, weights, LOW));
      picture.querySelector("details").open = wasOpen;
    } else {
      const words = [chipRow("English words", source, "value"), chipRow("French words", target, "query")];
      picture.replaceChildren(html("div", { class: "sentences" }, ...words));
    }
  }
}

const LOW = 60; // pixels for the lines, so that all fits on one screen
const NO_WEIGHTS = " It shows no attention: what it knows of the sentence is a single state.";

export default { render: guessFirst(render) };
