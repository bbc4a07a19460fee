// Forms over the parameters of the API. The service alone decides what is valid: a field sends what was typed, and shows
// the sentence that the service answers.

import { byId, h } from "./dom.js";

/** The presets and stored policies by name. */
export const policies = new Map();

const DEFAULTS = { lowercase: true, uppercase: true, digits: true, special: false };
const STARTS = [["", "any character"], ["letter", "a letter"], ["lowercase", "a lowercase letter"],
  ["uppercase", "an uppercase letter"], ["digit", "a digit"], ["alphanumeric", "a letter or a digit"]];
const LISTS = [["", "eff-large: 7772 words"], ["eff-short-1", "eff-short-1: 1295 short words"],
  ["eff-short-2", "eff-short-2: 1295 words with different beginnings"]];

const number = (name, label, hint, placeholder) => ({ name, label, hint, placeholder, kind: "number" });
const text = (name, label, hint, more) => ({ name, label, hint, kind: "text", ...more });
const flag = (name, label, hint) => ({ name, label, hint, kind: "flag" });
const select = (name, label, options, hint) => ({ name, label, options, hint, kind: "select" });
const group = (legend, ...fields) => ({ legend, fields });
const details = (legend, ...fields) => ({ legend, fields, closed: true });

const classes = [["lowercase", "Lowercase letters a–z"], ["uppercase", "Uppercase letters A–Z"], ["digits", "Digits 0–9"],
  ["special", "Special characters"]];

/** The rules of a policy: `entropy` says what a minimum of entropy does. */
const rules = (length, entropy) => [
  select("policy", "Start from a policy", [["", "none"]], "Its rules can be tightened below, not weakened."),
  length,
  group("Characters", ...classes.flatMap(([name, label]) =>
    [flag(name, label), { ...number(`min_${name}`, `Minimum of ${label.split(" ")[0].toLowerCase()}`, null, "1"), short: "at least" }])),
  text("symbols", "Which special characters", "Empty: those of the policy. Any typed here switch special characters on.",
    { placeholder: "!@#$%^&*()_+-=[]{}|;:,.<>?" }),
  text("exclude", "Characters to exclude", "Each one is left out, wherever it belongs."),
  flag("exclude_similar", "Exclude look-alikes", "I l 1 | O 0 o"),
  details("More rules",
    number("max_repeating", "Maximum of one character in a row", "1 permits no “aa”."),
    number("max_sequential", "Maximum of neighbours in a row", "2 permits no “abc” and no “321”."),
    flag("no_repeats", "Use each character once at most"),
    select("start", "The first character is", STARTS),
    number("min_classes", "Minimum of different classes", "1 to 4"),
    number("min_entropy", "Minimum entropy in bits", entropy)),
  details("Password rules of a website",
    text("passwordrules", "Password rules", "Apple’s syntax, as in the passwordrules attribute of a page. They replace the policy and the classes above.",
      { long: true, placeholder: "minlength: 8; required: lower, upper; required: digit;" })),
];

/** The fields of each form. */
export const FIELDS = {
  password: [
    ...rules({ ...number("length", "Length", "4 to 4096. Empty: what the policy needs, else 16.", "16"), slider: [4, 128, 16] },
      "Without a length, the shortest that suffices is chosen."),
    number("count", "Number of passwords", "1 to 100. They count as one request.", "1"),
  ],
  passphrase: [
    { ...number("words", "Words", "3 to 20", "6"), slider: [3, 20, 6] },
    select("wordlist", "Word list", LISTS, "Of the Electronic Frontier Foundation"),
    text("separator", "Separator", "Up to 8 characters", { initial: "-" }),
    flag("capitalize", "Begin each word with a capital letter"),
    flag("number", "End one word with a digit"),
    number("min_entropy", "Minimum entropy in bits", "Without a number of words, the smallest that suffices is chosen."),
    number("count", "Number of passphrases", "1 to 100. They count as one request.", "1"),
  ],
  check: [
    { ...text("password", "Password to check", "It is sent to this service, and neither stored nor logged."), secret: true },
    ...rules({ ...number("length", "Length", "4 to 4096. Empty: any length that the other rules permit."), any: true },
      "What the rules must give at the length of the password."),
  ],
};

/** Builds a form. `submit` is called when it is sent, `changed` when a field was changed. */
export function createForm(kind, submit, changed) {
  const controls = new Map();
  const summary = h("p", { class: "problem", id: `${kind}-problem`, tabindex: "-1", hidden: true });
  const form = h("form", { class: "fields", id: `${kind}-form`, novalidate: true, autocomplete: "off",
    "aria-label": `${kind} settings`, onsubmit: (event) => { event.preventDefault(); submit(); } });
  const lead = FIELDS[kind].filter((field) => field.secret).map(build);
  form.append(...FIELDS[kind].filter((field) => !field.secret).map(build));

  function build(field) {
    if (!field.fields) return control(field);
    const built = field.fields.map(build);
    const inner = h("div", { class: "fields" }, ...built);
    return field.closed
      ? h("details", { class: "wide" }, h("summary", {}, field.legend), inner)
      : h("fieldset", { class: "wide classes" }, h("legend", {}, field.legend), inner);
  }

  function control(field) {
    const id = `${kind}-${field.name}`;
    const described = [field.hint && `${id}-hint`, `${id}-error`].filter(Boolean).join(" ");
    const common = { id, name: field.name, form: form.id, "aria-describedby": described };
    const plain = { autocomplete: "off", autocapitalize: "none", spellcheck: "false", placeholder: field.placeholder };
    const input = field.kind === "select" ? h("select", common, ...field.options.map(([value, label]) => h("option", { value }, label)))
      : field.kind === "flag" ? h("input", { ...common, type: "checkbox" })
      : field.long ? h("textarea", { ...common, ...plain, rows: "3" })
      : h("input", { ...common, ...plain, type: field.secret ? "password" : "text", inputmode: field.kind === "number" ? "numeric" : null });
    input.addEventListener(field.kind === "flag" || field.kind === "select" ? "change" : "input", () => edited(field));
    const error = h("p", { class: "error", id: `${id}-error`, hidden: true });
    const hint = field.hint && h("p", { class: "hint", id: `${id}-hint` }, field.hint);
    controls.set(field.name, { field, input, error, hint });
    if (field.initial) input.value = field.initial;
    if (field.kind === "flag") {
      input.checked = DEFAULTS[field.name] ?? false;
      return h("div", { class: "field" }, h("div", { class: "option" }, input, h("label", { for: id }, field.label)), hint, error);
    }
    const label = h("label", { for: id }, field.label);
    if (field.short) {
      label.className = "away";
      return h("div", { class: "field minimum" }, label, h("span", { "aria-hidden": "true" }, field.short), input, error);
    }
    const row = field.slider ? h("div", { class: "row" }, slider(field, input), input) : input;
    const reveal = field.secret && h("button", { type: "button", class: "quiet", onclick: ({ target }) => {
      const hidden = input.type === "password";
      input.type = hidden ? "text" : "password";
      target.textContent = hidden ? "Hide" : "Show";
    } }, "Show");
    const wide = field.slider || field.long || field.secret || field.name === "policy";
    return h("div", { class: wide ? "field wide" : "field" }, label, reveal ? h("div", { class: "row" }, input, reveal) : row, hint, error);
  }

  function slider(field, input) {
    const [min, max, initial] = field.slider;
    const range = h("input", { type: "range", min, max, value: initial, "aria-label": `${field.label}, as a slider`, name: `${field.name}-slider` });
    range.addEventListener("input", () => { input.value = range.value; edited(field); });
    input.range = range;
    return range;
  }

  /** Moves the slider to the number, or to the default. */
  function align() {
    for (const { field, input } of controls.values()) {
      if (!field.slider) continue;
      const value = Number(input.value || input.placeholder);
      input.range.value = Number.isFinite(value) ? value : field.slider[2];
    }
  }

  function edited(field) {
    if (field.name === "policy") applyPolicy();
    hideError(controls.get(field.name));
    align();
    changed();
  }

  const baseline = () => policies.get(controls.get("policy")?.input.value)?.policy ?? DEFAULTS;

  /** Shows what the policy sets: its classes are ticked, its numbers stand in empty fields. */
  function applyPolicy() {
    const chosen = policies.get(controls.get("policy").input.value);
    const base = baseline();
    for (const { field, input } of controls.values()) {
      if (field.kind === "flag") input.checked = base[field.name] ?? false;
      else if (input.placeholder !== undefined && !field.any && field.name !== "passwordrules" && field.name !== "count") {
        input.placeholder = chosen ? (base[field.name] ?? "") : (field.placeholder ?? "");
      }
    }
    const { hint, field } = controls.get("policy");
    hint.replaceChildren(chosen ? chosen.summary ?? chosen.description ?? "" : field.hint);
    align();
  }

  function hideError({ input, error }) {
    input.removeAttribute("aria-invalid");
    error.hidden = true;
    error.textContent = "";
  }

  return {
    element: form,
    summary,
    /** What stands before the button: the password to check. */
    lead,
    /** The parameters that differ from the defaults or from the policy. */
    read() {
      const base = controls.has("policy") ? baseline() : {};
      const body = {};
      for (const [name, { field, input }] of controls) {
        if (field.kind === "flag") {
          if (input.checked !== (base[name] ?? false)) body[name] = input.checked;
        } else if (field.initial !== undefined ? input.value !== field.initial : input.value !== "") {
          const whole = field.kind === "number" && /^\s*-?\d{1,15}\s*$/.test(input.value);
          body[name] = whole ? Number(input.value) : input.value;
        }
      }
      return body;
    },
    /** Fills the form with parameters. */
    fill(parameters) {
      const base = controls.get("policy");
      if (base) {
        const name = parameters.policy ?? "";
        if (![...base.input.options].some((option) => option.value === name)) base.input.append(h("option", { value: name }, name));
        base.input.value = name;
        applyPolicy();
      }
      for (const [name, { field, input }] of controls) {
        hideError(controls.get(name));
        if (name === "policy" || field.secret) continue;
        const value = parameters[name];
        if (field.kind === "flag") {
          if (value !== undefined) input.checked = /^(true|t|yes|y|on|1)$/i.test(String(value));
          else if (!base) input.checked = false;
        } else input.value = value ?? field.initial ?? "";
        if (field.kind === "select" && input.selectedIndex < 0) input.value = "";
        if (value !== undefined) openAround(input);
      }
      align();
    },
    hasField: (name) => controls.has(name),
    set(name, value) {
      controls.get(name).input.value = value;
      edited(controls.get(name).field);
    },
    /** Shows the names of the policies. */
    listPolicies() {
      const input = controls.get("policy")?.input;
      if (!input) return;
      const chosen = input.value;
      const options = (stored) => [...policies.values()].filter((one) => Boolean(one.stored) === stored).map(({ name }) => h("option", { value: name }, name));
      const groups = [h("optgroup", { label: "Presets" }, ...options(false))];
      if (options(true).length) groups.push(h("optgroup", { label: "Stored policies" }, ...options(true)));
      input.replaceChildren(h("option", { value: "" }, "none"), ...groups);
      if (chosen && !policies.has(chosen)) input.append(h("option", { value: chosen }, chosen));
      input.value = chosen;
    },
    /** Shows the service's sentence at the field that it names, or above the form. */
    showProblem(problem) {
      const named = problem.parameter === "key" ? null : controls.get(problem.parameter);
      if (!named) {
        summary.textContent = problem.message;
        summary.hidden = false;
        reveal(summary, summary);
        return;
      }
      named.error.textContent = problem.message;
      named.error.hidden = false;
      named.input.setAttribute("aria-invalid", "true");
      openAround(named.input);
      reveal(named.input.closest(".field"), named.input);
    },
    clearProblems() {
      summary.hidden = true;
      controls.forEach(hideError);
    },
  };
}

function openAround(element) {
  const around = element.closest("details");
  if (around) around.open = true;
}

/** Focuses a control, and scrolls to what surrounds it: an error stands below its control. */
function reveal(around, control) {
  control.focus({ preventScroll: true });
  around.scrollIntoView({ block: "nearest" });
}

/** Shows the field of the key instead of the line that says that it is accepted. */
export function openKeyCard() {
  byId("key-line").hidden = true;
  byId("access").querySelector("details").open = true;
}

/** Shows that the service does not accept the key. */
export function showKeyProblem(text) {
  const error = byId("key-error");
  error.textContent = text;
  error.hidden = !text;
  byId("key").removeAttribute("aria-invalid");
  if (text) {
    openKeyCard();
    byId("key").setAttribute("aria-invalid", "true");
    reveal(byId("access"), byId("key"));
  }
}
