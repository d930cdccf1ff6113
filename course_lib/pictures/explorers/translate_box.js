// Type a sentence, read the translation, and see which source words each French word reads.

function render({ model, el }) {
  prepare(el, "Translate a sentence and see what each French word reads");
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
    picture.replaceChildren(...attentionLines(source, target, weights));
  }

  model.on("change:answer", show);
  show();
  return () => model.off("change:answer", show);
}

export default { render: guessFirst(render) };
