// A question to answer before the result is there. The kernel keeps the answer; a later cell compares it with the run.

function render({ model, el }) {
  const question = model.get("question");
  prepare(el, `Guess first: ${question}`);
  const status = html("p", { "aria-live": "polite", class: "reply" });
  const legend = html("legend", {}, `Guess first: ${question}`);
  const send = (guess) => {
    model.set("chosen", guess);
    model.save_changes();
  };
  const controls = model.get("choices").length ? choices(model, send) : number(model, send);
  el.replaceChildren(html("fieldset", { class: "controls guess alone" }, legend, ...controls, status));

  function show() {
    const guess = model.get("chosen");
    setText(status, guess ? `Your guess: ${guess}. The answer comes further down.` : "Answer before you go on.");
  }

  model.on("change:chosen", show);
  show();
  return () => model.off("change:chosen", show);
}

function choices(model, send) {
  const name = `guess-${Math.random().toString(36).slice(2)}`;
  return model.get("choices").map((choice) => {
    const checked = choice === model.get("chosen");
    const input = html("input", { type: "radio", name, checked, onchange: () => send(choice) });
    return html("label", { class: "inline" }, input, choice);
  });
}

function number(model, send) {
  const input = html("input", { type: "text", inputmode: "decimal", autocomplete: "off", size: 8 });
  input.value = model.get("chosen");
  const problem = html("p", { role: "alert", class: "reply" });
  const submit = (event) => {
    event.preventDefault();
    const { value, refusal } = readNumber(input.value, model.get("unit"));
    setText(problem, refusal ?? "");
    if (value !== undefined) send(value);
  };
  const words = model.get("unit") || "a number";
  const label = html("label", { class: "inline" }, input, words);
  return [html("form", { onsubmit: submit }, label, html("button", {}, "Guess")), problem];
}

/** The number that was typed, with a point for a decimal comma, or a sentence that says why it is refused. */
function readNumber(typed, unit) {
  const isPercent = unit === "per cent";
  const text = typed.trim();
  if (!text) return {};
  if (text.endsWith("%") && !isPercent) {
    const counted = unit ? `. The question counts in “${unit}”` : "";
    return { refusal: `“${text}” is a percentage${counted}: type a plain number.` };
  }
  const plain = text.replace(/\s*%$/, "").replace("−", "-");
  if (/^[-+]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?$/.test(plain)) {
    return { refusal: `“${text}” can be read in two ways: write it without a comma.` };
  }
  const value = plain.replace(",", ".");
  if (!/^[-+]?(\d+\.?\d*|\.\d+)$/.test(value)) {
    return { refusal: `“${text}” is not a number: type digits, such as 12 or 2.5.` };
  }
  return { value: String(Number(value)) };
}

export default { render };
