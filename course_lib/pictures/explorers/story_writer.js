// A beginning to type, and the story as the kernel writes it. The kernel sends the whole text so far at each token.

function render({ model, el }) {
  prepare(el, "Story writer: type a beginning, and a language model continues it");
  const input = html("input", { type: "text", value: model.get("prompt"), autocomplete: "off" });
  const button = html("button", {}, "Write");
  const form = html("form", { onsubmit: press }, html("label", {}, "The beginning", input), button);
  const temperature = slider("Temperature", { min: 0, max: 2, step: 0.1 }, (x) => set({ temperature: x }));
  const p = slider("top-p", { min: 0.1, max: 1, step: 0.05 }, (x) => set({ p: x }));
  const controls = html("div", { class: "controls" }, temperature.element, p.element);
  const warning = warningLine();
  const story = html("p", { class: "story", tabindex: "0", role: "region", "aria-label": "The story" });
  const status = statusLine();
  el.replaceChildren(form, controls, warning, story, status);
  const begin = { temperature: 0.8, p: 0.9 };
  let state = { ...begin };
  let [key, writing, waiting] = [model.get("written").key, false, undefined];
  set({});
  stepKeys(el, { step: () => {}, reset: () => set(begin), first: input });
  el.addEventListener("keydown", (event) => event.key === "Escape" && writing && stop());
  model.on("change:written", show);
  show();
  return () => {
    clearTimeout(waiting);
    model.off("change:written", show);
  };

  function set(change) {
    state = { ...state, ...change };
    temperature.show(state.temperature, state.temperature.toFixed(1));
    p.show(state.p, twoDecimals(state.p));
  }

  function press(event) {
    event.preventDefault();
    if (writing) stop();
    else write();
  }

  function write() {
    // A key that no earlier request of any page had, so that the kernel takes it for a new one.
    key = Math.max(key + 1, Date.now() % 2 ** 31);
    const { temperature: heat, p: top } = state;
    const asked = { key, prompt: input.value, temperature: heat, top_p: top, seed: key % 1000 };
    model.set("request", asked);
    model.save_changes();
    turn(true);
    setText(story, input.value);
    patience();
  }

  function stop() {
    model.set("stop", key);
    model.save_changes();
    patience();
  }

  function patience() {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      turn(false);
      warning.say(NO_ANSWER);
    }, PATIENT);
  }

  function turn(on) {
    writing = on;
    setText(button, on ? "Stop" : "Write");
    warning.say();
  }

  function show() {
    const { key: of, prompt, text, tokens, seconds, done, message, stopped } = model.get("written");
    if (of !== key) return;
    clearTimeout(waiting);
    if (!done) patience();
    turn(!done);
    if (message) warning.say(message);
    story.replaceChildren(prompt, html("strong", {}, text));
    story.scrollTop = story.scrollHeight;
    if (!tokens) return;
    const speed = seconds ? `, ${oneDecimal(tokens / seconds)} per second` : "";
    const how = stopped ? "Stopped after" : "Written:";
    if (done) status.say(`${how} ${tokens} pieces in ${oneDecimal(seconds)} s${speed}.`);
    else setText(status, "Writing. Stop with the button or Escape.");
  }
}

export default { render: guessFirst(render) };
