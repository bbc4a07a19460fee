// Shows passwords: digits and symbols told apart by shape as well as by colour, hidden on request, copied, downloaded.

import { announce, copy, h } from "./dom.js";

const kind = (character) =>
  /[0-9]/.test(character) ? "digit" : /[A-Za-z]/.test(character) ? "letter" : character === " " ? "space" : "symbol";

/** The text in runs of one kind. */
function marked(text) {
  const runs = text.match(/[0-9]+|[A-Za-z]+| +|[^0-9A-Za-z ]+/g) ?? [];
  return runs.map((run) => h("span", { class: kind(run[0]) }, run));
}

/** A card for passwords or passphrases. */
export function secretCard(what, fileName) {
  const list = h("ol", { class: "secrets", "aria-label": `Generated ${what}s` });
  const note = h("p", { class: "hint note" });
  const show = h("button", { type: "button", class: "quiet", "aria-pressed": "false", onclick: toggle }, "Hide");
  const all = h("button", { type: "button", class: "quiet", onclick: copyAll }, "Copy all");
  const download = h("button", { type: "button", class: "quiet", onclick: save }, "Download as text");
  const tools = h("div", { class: "tools" }, show, all, download);
  const legend = h("p", { class: "hint legend" }, h("span", { class: "digit" }, "123"), " digits are underlined, ",
    h("span", { class: "symbol" }, "#$&"), " symbols have a background.");
  const element = h("div", { hidden: true }, list, tools, note);
  const notes = [legend, h("p", { class: "hint" }, "A page cannot clear the clipboard. Copy something else after you have pasted.")];
  let texts = [];
  let hidden = false;
  let stale = false;

  function draw() {
    list.replaceChildren(...texts.map((text, index) => {
      const name = texts.length === 1 ? "Copy" : `Copy ${what} ${index + 1}`;
      const shown = h("code", { class: "secret", tabindex: "-1" }, ...(hidden ? ["•".repeat(Math.min(text.length, 24))] : marked(text)));
      if (hidden) shown.append(h("span", { class: "away" }, " hidden"));
      const title = what[0].toUpperCase() + what.slice(1) + (texts.length === 1 ? "" : ` ${index + 1}`);
      return h("li", {}, shown, h("button", { type: "button", "aria-label": name, disabled: stale, onclick: () => copy(text, title, note, () => select(shown)) }, "Copy"));
    }));
    all.hidden = download.hidden = texts.length < 2;
    all.disabled = download.disabled = stale;
    list.classList.toggle("one", texts.length === 1);
    show.textContent = hidden ? "Show" : "Hide";
  }

  function toggle() {
    hidden = !hidden;
    draw();
    announce(hidden ? "Hidden." : "Shown.");
  }

  /** Selects a text for the keyboard. What is hidden is not shown unasked: somebody may be looking on. */
  function select(shown) {
    if (hidden) return "Choose Show, and copy again.";
    getSelection().selectAllChildren(shown);
    return `The ${what} is selected: copy it with the keyboard.`;
  }

  const lines = () => texts.map((text) => `${text}\n`).join("");

  function copyAll() {
    copy(lines(), `${texts.length} ${what}s`, note, () => "Choose Download as text.");
  }

  function save() {
    const url = URL.createObjectURL(new Blob([lines()], { type: "text/plain" }));
    h("a", { href: url, download: fileName }).click();
    URL.revokeObjectURL(url);
    announce(`${texts.length} ${what}s downloaded.`);
  }

  return {
    element,
    notes,
    show(newTexts) {
      texts = newTexts;
      note.textContent = "";
      element.hidden = false;
      draw();
    },
    /** A stale text is neither copied nor downloaded by a button. */
    setStale(value) {
      stale = value;
      note.textContent = "";
      draw();
    },
  };
}
