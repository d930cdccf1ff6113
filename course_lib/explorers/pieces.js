// The pieces that all explorers share. `LOOK`, the design tokens, stands in front of this file.

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element with attributes and children; `on…` attributes are listeners. */
function html(name, attributes = {}, ...children) {
  return furnish(document.createElement(name), attributes, children);
}

/** The same for SVG. */
function svg(name, attributes = {}, ...children) {
  return furnish(document.createElementNS(SVG, name), attributes, children);
}

function furnish(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/** Give an element a class, but only where that changes something: the browser draws anew whatever is set. */
function setClass(element, name) {
  if (element.getAttribute("class") !== name) element.setAttribute("class", name);
}

/** The same for the text of an element. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A token as its chip shows it: each space visible, nothing left blank. */
function tokenLabel(token) {
  return token.replaceAll(" ", "␣").replaceAll("\n", "↵") || "∅";
}

/** A weight between 0 and 1 in two decimals, as all pictures print it. */
function twoDecimals(weight) {
  return weight.toFixed(2);
}

/** The class that colours a weight between 0 and 1. */
function weightClass(weight) {
  return `weights-${rampStep(weight)}`;
}

/** The class that colours a signed number: the ramp's middle is 0, its ends are -range and range. */
function signedClass(number, range) {
  return `signed-${rampStep(0.5 + number / (2 * range || 1))}`;
}

function rampStep(share) {
  return Math.round(Math.min(1, Math.max(0, share)) * 20);
}

/** Make `root` an explorer: its look, and its keys kept from the notebook except those that leave it. */
function prepare(root, name) {
  root.classList.add("course-explorer");
  root.dataset.lmSuppressShortcuts = "true";
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", name);
  root.addEventListener("keydown", (event) => {
    const leaves = event.key === "Tab" || event.key === "Escape" || (event.key === "Enter" && event.shiftKey);
    if (!leaves) event.stopPropagation();
  });
}

/** A line of live text that a screen reader speaks when it changes, at most every 300 ms. */
function statusLine() {
  const line = html("p", { role: "status", class: "status" });
  let waiting;
  line.say = (sentence) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => (line.textContent = sentence), line.textContent ? 300 : 0);
  };
  return line;
}

/** The numbers behind a picture, as a table that opens on request: one row a query, one column a key; `show` fills it. */
function numbersTable(rows, columns, caption) {
  const cells = rows.map(() => columns.map(() => html("td")));
  const head = html("tr", {}, html("td"), ...columns.map((token) => html("th", { scope: "col" }, tokenLabel(token))));
  const body = rows.map((token, i) => html("tr", {}, html("th", { scope: "row" }, tokenLabel(token)), ...cells[i]));
  const table = html("table", {}, html("caption", {}, caption), html("thead", {}, head), html("tbody", {}, ...body));
  const show = (weights) => weights.forEach((row, i) => row.forEach((w, j) => setText(cells[i][j], twoDecimals(w))));
  return { element: html("details", {}, html("summary", {}, "Show numbers"), table), show };
}

/** The class of a token's chip; special tokens, such as [CLS], have a double border. */
function chipClass(token, role) {
  return `chip ${role}${/^\[.+\]$/.test(token) ? " special" : ""}`;
}

/** A row of token chips that is a group of native radio buttons: arrows move, the chosen one is outlined. */
function chipChooser(name, legend, tokens, role, chosen, choose) {
  const chips = tokens.map((token, i) => {
    const input = html("input", { type: "radio", name, value: i, checked: i === chosen, onchange: () => choose(i) });
    return html("label", { class: chipClass(token, role), "data-index": i }, input, html("span", {}, tokenLabel(token)));
  });
  const shown = html("span", { class: "legend", "aria-hidden": "true" }, legend);
  return html("div", { class: "chips", role: "radiogroup", "aria-label": legend }, ...chips, shown);
}

/** A row of token chips to read only. */
function chipRow(legend, tokens, role) {
  const chips = tokens.map((token, i) =>
    html("span", { class: chipClass(token, role), "data-index": i }, html("span", {}, tokenLabel(token))),
  );
  return html("div", { class: "chips", role: "group", "aria-label": legend }, html("span", { class: "legend" }, legend), ...chips);
}
