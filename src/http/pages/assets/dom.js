// Builds elements. Text is never parsed as markup.

/** Makes an element with attributes, listeners (onclick, …) and children. */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value != null) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

export const byId = (id) => document.getElementById(id);

/** Reports what a person who does not see the page must know. */
export function announce(text) {
  const region = byId("announcement");
  // The same text twice is announced twice.
  region.textContent = region.textContent === text ? `${text}\u00a0` : text;
}

/** Copies a text, and says so. If the browser does not permit it, `instead` says what to do. */
export async function copy(text, what, note, instead = () => "Select the text, and copy it with the keyboard.") {
  try {
    await navigator.clipboard.writeText(text);
    say(note, `${what} copied. A page cannot clear the clipboard: copy something else after you have pasted.`);
  } catch {
    say(note, `The browser did not permit copying. ${instead()}`);
  }
}

function say(note, text) {
  note.textContent = text;
  announce(text);
}
