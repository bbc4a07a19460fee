// Requests to the service that has served this page.

import { byId } from "./dom.js";

export const needsKey = document.documentElement.dataset.auth !== "none";

const STORED_KEY = "passloom-key";

/** The address of a path of the API, also behind a stage such as /prod/. */
export const address = (path) => new URL(path, document.baseURI.split("#")[0]).href;

export const key = () => byId("key").value.trim();

/** Keeps the key in the session storage of the tab, if that is asked for. */
export function rememberKey() {
  if (byId("keep").checked && key()) sessionStorage.setItem(STORED_KEY, key());
  else sessionStorage.removeItem(STORED_KEY);
}

export function restoreKey() {
  const stored = sessionStorage.getItem(STORED_KEY);
  if (!stored) return;
  byId("key").value = stored;
  byId("keep").checked = true;
}

/** An answer that is not a success: the service's sentence, and the parameter that it names. */
export class Problem extends Error {
  constructor(status, detail, parameter, wait) {
    super(detail);
    Object.assign(this, { status, parameter, wait });
  }
}

/** Sends a request; with a body it is a POST. Returns the JSON of the answer, or throws a Problem. */
export async function send(path, body, withKey = true) {
  const headers = { Accept: "application/json" };
  if (withKey && key()) headers["X-Api-Key"] = key();
  const options = { headers, cache: "no-store", credentials: "omit", redirect: "error" };
  if (body) {
    options.method = "POST";
    headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(address(path), options);
  } catch (error) {
    // A key with a character that no header may have.
    if (/ISO-8859-1|Invalid value|ByteString/.test(error.message)) throw new Problem(401, "This is not an API key.");
    throw new Problem(0, "The service could not be reached. Nothing that you typed is lost: check the network, and try again.");
  }
  showLimits(response.headers);
  const answer = await response.json().catch(() => null);
  if (response.ok && answer) return answer;
  const wait = response.status === 429 || response.status === 503 ? Number(response.headers.get("Retry-After")) || 1 : 0;
  const sentence = answer?.detail ?? answer?.message ?? "The answer could not be read.";
  const titled = response.status === 429 ? `Rate limit exceeded. ${sentence}` : sentence;
  throw new Problem(response.status, titled, answer?.parameter, wait);
}

/** Shows what is left of the limits, by the headers of draft-ietf-httpapi-ratelimit-headers-10. */
function showLimits(headers) {
  const parts = (name, member) =>
    Object.fromEntries([...(headers.get(name) ?? "").matchAll(/"(\w+)";([^,]*)/g)].map(([, unit, rest]) =>
      [unit, Number(new RegExp(`${member}=(\\d+)`).exec(rest)?.[1])]));
  const [left, all] = [parts("RateLimit", "r"), parts("RateLimit-Policy", "q")];
  const text = (unit, when) =>
    unit in left && unit in all ? `${left[unit].toLocaleString("en")} of ${all[unit].toLocaleString("en")} ${when}` : null;
  const texts = [text("minute", "in this minute"), text("day", "today")].filter(Boolean);
  if (texts.length) byId("limits").textContent = `Requests left: ${texts.join(", ")}.`;
}

/** The request as a command for a shell. The key is a variable, so that it is not in the history of the shell. */
export function curl(path, body) {
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const header = needsKey ? ' -H "X-Api-Key: $KEY"' : "";
  return `curl${header} -H 'Content-Type: application/json' -d ${quoted(JSON.stringify(body))} ${quoted(address(path))}`;
}
