// The generator: tabs, requests, results. What is typed is kept in the entry of the browser's history, so that reloading
// loses nothing; the fragment has the parameters of the tab in view, so that a link shares them. Neither has a secret.

import { curl, key, needsKey, rememberKey, restoreKey, send } from "./api.js";
import { announce, byId, copy, h } from "./dom.js";
import { createForm, openKeyCard, policies, showKeyProblem } from "./form.js";
import { secretCard } from "./secret.js";
import { combinations, guessing } from "./words.js";

const TABS = ["password", "passphrase", "check", "policies"];
/** With fewer bits, a trillion guesses a second need less than 20 minutes for all of them. */
const LEAST_BITS = 50;
const KEY_HINT = "The key stays in the memory of this page. It is sent only to this service.";
const tabs = {};
let current = "password";

// --- A tab with a form ---

function formTab(kind, { path, action, title, result }) {
  const button = h("button", { type: "submit", form: `${kind}-form`, class: "main" }, action);
  const outcome = { top: h("div"), rest: h("div", { class: "outcome" }) };
  const form = createForm(kind, submit, () => { saveSoon(); compare(); });
  const stale = h("p", { class: "error", hidden: true }, `This belongs to ${kind === "check" ? "another password, or to other settings" : "other settings"}.`);
  /** The settings of the result, as JSON. */
  let settings = null;
  const request = h("details", { class: "request" }, h("summary", {}, "The same request as a command and as JSON"));
  const link = h("button", { type: "button", class: "quiet", onclick: () => { save(); copy(location.href, "Link", linkNote, () => "Copy the address of this page."); } }, "Copy a link to these settings");
  const linkNote = h("p", { class: "hint" });
  const linked = h("div", { class: "notice", hidden: true }, h("span", {}, "These settings come from a link."),
    h("button", { type: "button", class: "quiet", onclick: reset }, "Reset the settings"));
  byId(`panel-${kind}`).append(
    h("div", { class: "card result" }, h("h2", {}, title), linked, form.summary, ...form.lead, outcome.top, stale, h("div", { class: "tools" }, button), outcome.rest, request),
    h("div", { class: "card" }, h("h2", {}, "Settings"), form.element, h("div", { class: "tools" }, link), linkNote));
  let busy = false;

  async function submit() {
    if (busy || button.getAttribute("aria-disabled")) return;
    busy = true;
    form.clearProblems();
    showKeyProblem("");
    const parameters = form.read();
    const used = key();
    drawRequest();
    try {
      const answer = await send(path, parameters);
      settings = JSON.stringify(parameters);
      mark(false);
      announce(result.show(outcome, answer, parameters));
      if (needsKey && used === key() && byId("key-line").hidden) accept(accepted || "The key is accepted");
      compare();
    } catch (problem) {
      if (problem.status === undefined) throw problem;
      // The same settings may be refused later, because a stored policy was changed.
      if (problem.status === 400 && settings === JSON.stringify(parameters)) settings = "";
      compare();
      if (problem.status === 401 && needsKey) {
        showKeyProblem(key() ? problem.message : "Enter an API key.");
        announce(problem.message);
      } else form.showProblem(problem);
      if (problem.wait) countdown(problem.wait);
    } finally {
      busy = false;
    }
  }

  /** Marks a result that does not belong to the settings in view, so that no one copies it by mistake. */
  function compare() {
    const differs = settings !== null && settings !== JSON.stringify(form.read());
    if (differs === outcome.top.classList.contains("stale")) return;
    mark(differs);
    if (differs) announce("The result belongs to other settings.");
  }

  function mark(differs) {
    for (const part of [outcome.top, outcome.rest]) part.classList.toggle("stale", differs);
    // Once there is a result, the sentence keeps its place: nothing moves under a finger.
    stale.hidden = false;
    stale.classList.toggle("unseen", !differs);
    result.setStale(differs);
  }

  /** Until the limit permits another request, the button says how long that takes. */
  function countdown(seconds) {
    const end = Date.now() + seconds * 1000;
    button.setAttribute("aria-disabled", "true");
    const tick = () => {
      const left = Math.ceil((end - Date.now()) / 1000);
      if (left > 0) {
        button.textContent = `Wait ${left} s`;
        setTimeout(tick, 250);
        return;
      }
      button.textContent = action;
      button.removeAttribute("aria-disabled");
      form.clearProblems();
      announce("The limit permits requests again.");
    };
    tick();
  }

  function drawRequest() {
    const parameters = form.read();
    const note = h("p", { class: "hint" });
    const shown = (label, text) => h("div", {}, h("pre", { tabindex: "0", "aria-label": label }, text),
      h("button", { type: "button", class: "quiet", onclick: () => copy(text, label, note) }, `Copy the ${label}`));
    request.replaceChildren(request.firstChild, shown("command", curl(path, parameters)),
      needsKey ? h("p", { class: "hint" }, "KEY is a variable of your shell that holds the API key.") : "",
      shown("JSON", JSON.stringify(parameters, null, 1)), note);
  }

  /** Fills the form, and says whether a link has set it. */
  function fill(parameters, byLink = false) {
    form.fill(parameters);
    compare();
    linked.hidden = !byLink || Object.keys(shareable(kind)).length === 0;
  }

  function reset() {
    fill({});
    save();
    button.focus();
    announce("The settings are reset.");
  }

  request.addEventListener("toggle", drawRequest);
  tabs[kind] = { form, drawRequest, fill, isLinked: () => !linked.hidden };
}

// --- Results ---

const facts = (...pairs) => h("dl", { class: "facts" }, ...pairs.flatMap(([name, ...value]) => [h("dt", {}, name), h("dd", {}, ...value)]));

function resolved(policy) {
  const text = JSON.stringify(policy, null, 1);
  const note = h("p", { class: "hint" });
  const rows = Object.entries(policy).map(([name, value]) => [name, h("code", {}, typeof value === "string" ? value || "—" : JSON.stringify(value))]);
  return h("details", {}, h("summary", {}, "The resolved policy"), facts(...rows),
    h("button", { type: "button", class: "quiet", onclick: () => copy(text, "Policy", note) }, "Copy the policy as JSON"), note);
}

function strength(bits, what) {
  return facts(["Entropy", `${bits} bits, exactly counted and rounded down`], ["That is", ...combinations(bits, `${what}s`)],
    ["Guessing", `${guessing(bits)}, on average, with a trillion guesses a second`]);
}

function generated(what, one, many, advice) {
  const card = secretCard(what, `${what}s.txt`);
  const show = (outcome, answer, parameters) => {
    const texts = answer[many] ?? [answer[one]];
    card.show(texts);
    const weak = answer.entropy_bits < LEAST_BITS;
    outcome.top.replaceChildren(card.element, ...(weak ? [h("p", { class: "problem" }, `Weak: ${answer.entropy_bits} bits. ` +
      `Where attempts are not limited, a ${what} of fewer than ${LEAST_BITS} bits is guessed within minutes. ${advice}`)] : []));
    outcome.rest.replaceChildren(...card.notes, strength(answer.entropy_bits, what), resolved(answer.policy),
      ...(what === "password" ? [exact(parameters)] : []));
    const said = texts.length === 1 ? `A ${what} of ${answer.entropy_bits} bits was generated.` : `${texts.length} ${what}s were generated, of ${answer.entropy_bits} bits each.`;
    return weak ? `${said} Warning: it can be guessed.` : said;
  };
  return { show, setStale: card.setStale };
}

/** On request, and for one more request of the limit: the description of the policy. */
function exact(parameters) {
  const place = h("div");
  const note = h("p", { class: "hint" });
  const ask = async () => {
    try {
      const answer = await send("api/policy", parameters);
      const code = (label, text) => [label, h("code", { class: "long", tabindex: "0" }, text), " ", h("button", { type: "button", class: "quiet", onclick: () => copy(text, label, note) }, `Copy`, h("span", { class: "away" }, ` the ${label}`))];
      place.replaceChildren(facts(code("exact number", answer.combinations), code("regular expression", answer.regex),
        answer.passwordrules === null ? ["password rules", answer.passwordrules_reason] : code("password rules", answer.passwordrules)), note);
      announce("The policy is described.");
    } catch (problem) {
      place.replaceChildren(h("p", { class: "error" }, problem.message));
      announce(problem.message);
    }
  };
  return h("details", {}, h("summary", {}, "The exact number, a regular expression, password rules"),
    h("button", { type: "button", class: "quiet", onclick: ask }, "Describe the policy (one more request)"), place);
}

function checked(outcome, answer) {
  const { valid, violations } = answer;
  const verdict = valid ? "The password satisfies the policy." : `The password violates the policy in ${violations.length === 1 ? "one point" : `${violations.length} points`}.`;
  const list = h("ul", { class: "violations" }, ...violations.map(({ constraint, message }) => h("li", {}, h("code", {}, constraint), `: ${message}`)));
  outcome.top.replaceChildren(h("p", { class: valid ? "verdict good" : "verdict bad" }, valid ? "✓ " : "✗ ", verdict), ...(valid ? [] : [list]));
  outcome.rest.replaceChildren(facts(["Policy",
    answer.entropy_bits === null ? "generates no password of this length" : `a generated password of this length has ${answer.entropy_bits} bits`]));
  return verdict;
}

// --- Policies ---

const presets = h("div", { class: "policies" });
const stored = h("div", { class: "policies" });
const storedNote = h("p", { class: "hint" });

function policyCard(one) {
  const source = one.source && h("p", {}, "Source: ", h("a", { href: one.source.url, rel: "noreferrer external" }, one.source.standard),
    `, ${one.source.section}${one.source.date ? `, ${one.source.date}` : ""}`);
  const lengths = one.min_length ? `${one.min_length} to ${one.max_length} characters` : one.revision ? `Revision ${one.revision}${one.updated_by ? `, by ${one.updated_by}` : ""}` : null;
  const use = h("button", { type: "button", class: "quiet", onclick: () => {
    tabs.password.fill({ policy: one.name });
    select("password");
    byId("password-policy").focus();
    announce(`The policy ${one.name} is selected.`);
  } }, "Use", h("span", { class: "away" }, ` ${one.name}`));
  return h("article", { class: "card" }, h("h3", {}, one.name), h("p", {}, one.summary ?? one.description ?? ""), lengths && h("p", { class: "hint" }, lengths), source, use);
}

/** Lists named policies; `note` shows what went wrong. */
async function list(path, withKey, note, show) {
  if (withKey && needsKey && !key()) {
    showKeyProblem("Enter an API key.");
    return;
  }
  try {
    const answer = await send(path, undefined, withKey);
    // What a form has is relative to its policy, which may be known from now on.
    const typed = Object.values(tabs).map(({ form }) => [form, form.read()]);
    show(answer);
    for (const [form, parameters] of typed) {
      form.listPolicies();
      form.fill(parameters);
    }
  } catch (problem) {
    note.replaceChildren(h("p", { class: "error" }, problem.message, " "),
      h("button", { type: "button", class: "quiet", onclick: () => list(path, withKey, note, show) }, "Try again"));
    if (withKey) announce(problem.message);
  }
}

/** Needs no key and counts as no request. */
const loadPresets = () => list("api/presets", false, presets, (answer) => {
  for (const one of answer.presets) policies.set(one.name, one);
  presets.replaceChildren(...answer.presets.map(policyCard));
});

const loadStored = () => list("api/policies", true, storedNote, (answer) => {
  for (const one of answer.policies) policies.set(one.name, { ...one, stored: true });
  stored.replaceChildren(...answer.policies.map(policyCard));
  storedNote.textContent = answer.policies.length ? "" : "There are no stored policies.";
  announce(answer.policies.length ? `${answer.policies.length} stored policies.` : storedNote.textContent);
});

function policiesTab() {
  const load = h("button", { type: "button", class: "quiet", onclick: loadStored }, "Load the stored policies");
  byId("panel-policies").append(h("h2", {}, "Stored policies"), h("p", {}, needsKey ? "They require a key." : "Loading them counts as a request."),
    load, storedNote, stored, h("h2", {}, "Presets"), presets);
}

// --- The key ---

/** The key that the service was asked about last: each question counts as a request. */
let described = "";

/** What the line of the closed card is to say. */
let accepted = "";
/** Whether a button of the mouse, or a finger, is down. */
let pressed = false;

function accept(text) {
  accepted = text;
  closeKeyCard();
}

/** Closes the card of an accepted key to one line: not while it has the focus, and not between pressing and releasing a
    button, because what moves then is not clicked. */
function closeKeyCard() {
  const card = byId("access");
  if (!accepted || pressed || card.contains(document.activeElement)) return;
  byId("key-line").textContent = accepted;
  byId("key-line").hidden = false;
  byId("key-status").textContent = KEY_HINT;
  card.querySelector("details").open = false;
  accepted = "";
}

/** Begins again, with another key or none. */
function newKey() {
  described = accepted = "";
  openKeyCard();
  rememberKey();
  showKeyProblem("");
  byId("key-status").textContent = KEY_HINT;
}

/** Shows what the service says of the key, once it was entered. */
async function describeKey() {
  const status = byId("key-status");
  const asked = key();
  if (!/^plk_\w{55}$/.test(asked) || asked === described) return;
  described = asked;
  try {
    const one = await send("api/key");
    if (asked !== key()) return;
    const parts = [`Key “${one.name}”`, one.policy && `bound to the policy ${one.policy.name}`,
      one.min_entropy && `at least ${one.min_entropy} bits`, `${one.limits.per_minute} requests a minute`,
      one.limits.per_day && `${one.limits.per_day} a day`, one.expires_at && `expires ${one.expires_at}`];
    status.textContent = `${parts.filter(Boolean).join(", ")}. It is sent only to this service.`;
    accept(parts.filter(Boolean).join(", "));
  } catch (problem) {
    if (asked === key() && problem.status === 401) status.textContent = "The service does not know this key.";
  }
}

function keyForm() {
  const form = byId("access");
  form.hidden = !needsKey;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    describeKey();
    const main = document.querySelector("[role=tabpanel]:not([hidden]) .main");
    main?.focus();
    main?.click();
  });
  form.addEventListener("focusout", () => setTimeout(closeKeyCard));
  for (const type of ["pointerdown", "pointerup", "pointercancel"]) {
    document.addEventListener(type, () => { pressed = type === "pointerdown"; setTimeout(closeKeyCard); }, true);
  }
  // Not at `change`, which comes between pressing and releasing a button: what moves then is not clicked.
  byId("key").addEventListener("input", newKey);
  byId("key").addEventListener("change", describeKey);
  byId("keep").addEventListener("change", rememberKey);
  byId("forget").addEventListener("click", () => {
    byId("key").value = "";
    byId("keep").checked = false;
    newKey();
    announce("The key is forgotten.");
    byId("key").focus();
  });
  if (needsKey) restoreKey();
}

// --- Tabs, fragment, history ---

function select(name, focus) {
  current = name;
  for (const one of TABS) {
    const chosen = one === name;
    const tab = byId(`tab-${one}`);
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
    byId(`panel-${one}`).hidden = !chosen;
    if (chosen && focus) tab.focus();
  }
  save();
}

function keys(event) {
  const at = TABS.indexOf(current);
  const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: TABS.length - 1 }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  select(TABS[(next + TABS.length) % TABS.length], true);
}

/** The parameters without the password that is checked. */
function shareable(kind) {
  const { password, ...parameters } = tabs[kind].form.read();
  return parameters;
}

let pending;

/** Saves once typing or sliding pauses: browsers limit how often the history may be written. */
function saveSoon() {
  clearTimeout(pending);
  pending = setTimeout(save, 250);
}

function save() {
  clearTimeout(pending);
  const typed = Object.fromEntries(Object.keys(tabs).map((kind) => [kind, shareable(kind)]));
  const fragment = new URLSearchParams({ tab: current, ...typed[current] });
  const linked = Object.keys(tabs).filter((kind) => tabs[kind].isLinked());
  history.replaceState({ typed, linked }, "", `#${fragment}`);
  if (current in tabs && document.querySelector(`#panel-${current} .request`).open) tabs[current].drawRequest();
}

/** Restores what was typed: from the entry of the history, and the tab in view from the fragment. */
function restore() {
  const { tab, ...parameters } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  const name = TABS.includes(tab) ? tab : "password";
  const { typed = {}, linked = [] } = history.state ?? {};
  for (const kind of Object.keys(typed)) tabs[kind]?.fill(typed[kind], linked.includes(kind));
  if (name in tabs && !history.state) tabs[name].fill(parameters, true);
  select(name);
}

async function start() {
  keyForm();
  formTab("password", { path: "api/generate", action: "Generate", title: "Password", result: generated("password", "password", "passwords", "Choose a greater length or more characters.") });
  formTab("passphrase", { path: "api/passphrase", action: "Generate", title: "Passphrase", result: generated("passphrase", "passphrase", "passphrases", "Choose more words.") });
  formTab("check", { path: "api/validate", action: "Check", title: "Check a password", result: { show: checked, setStale() {} } });
  policiesTab();
  for (const name of TABS) {
    byId(`tab-${name}`).addEventListener("click", () => select(name));
    byId(`tab-${name}`).addEventListener("keydown", keys);
  }
  await loadPresets();
  restore();
  window.addEventListener("hashchange", restore);
  document.addEventListener("change", save);
  document.documentElement.dataset.ready = "";
}

start();
