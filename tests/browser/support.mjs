// What the browser tests and the screenshots share: the service, the browser, and a page that reports its errors.
//
// TOOLS is the folder with the npm packages, GATEWAY the program of dev/gateway.rs, CHROMIUM the browser.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const { TOOLS, GATEWAY, CHROMIUM } = process.env;
const require = createRequire(`${TOOLS}/`);
const { chromium } = require("playwright-core");
export const AXE = require.resolve("axe-core/axe.min.js");

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];

/** Starts the service: the handler of the function behind HTTP, with an embedded DynamoDB. */
export async function startService(...args) {
  const process = spawn(GATEWAY, args, { stdio: ["pipe", "pipe", "pipe"] });
  let log = "";
  process.stderr.on("data", (data) => { log += data; });
  const lines = createInterface({ input: process.stdout });
  const [line] = await new Promise((resolve, reject) => {
    lines.once("line", (text) => resolve([text]));
    process.once("exit", (code) => reject(new Error(`the service ended with ${code}: ${log}`)));
  });
  const stop = () => new Promise((resolve) => { process.once("exit", resolve); process.stdin.end(); });
  return { ...JSON.parse(line), log: () => log, stop };
}

export const startBrowser = () => chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS });

/** Opens a page of the service in a new session. `errors` collects its console errors and violations of its policy. */
export async function open(browser, url, options = {}) {
  const { path = "/", ...context } = options;
  const session = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"], ...context });
  const page = await session.newPage();
  const errors = [];
  // A request that the service refuses is a console error of the browser, not of the page.
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) errors.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("response", (response) => { if (response.status() >= 500) errors.push(`${response.status()} ${response.url()}`); });
  await page.addInitScript(() => {
    window.violations = [];
    document.addEventListener("securitypolicyviolation", (event) => {
      window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
    });
  });
  await page.goto(url + path);
  await page.waitForSelector("html[data-ready]");
  return {
    page,
    errors,
    session,
    async close() {
      const violations = await page.evaluate(() => window.violations);
      await session.close();
      assert.deepEqual({ errors, violations }, { errors: [], violations: [] });
    },
  };
}

export const tab = (page, name) => page.getByRole("tab", { name, exact: true }).click();
/** Types a key. Once a key is accepted, its card is closed. */
export async function key(page, text) {
  await page.evaluate(() => {
    document.querySelector("#access details").open = true;
    document.querySelector("#key").focus();
  });
  await page.getByLabel("API key", { exact: true }).fill(text);
}
/** The panel of the tab in view. */
export const panel = (page) => page.locator("[role=tabpanel]:visible");

/** Does something that sends a request, and returns the request's body and the answer. */
export async function sent(page, path, action) {
  const [response] = await Promise.all([page.waitForResponse((one) => one.url().endsWith(path)), action()]);
  return { request: response.request().postDataJSON(), status: response.status(), answer: await response.json() };
}

export const generate = (page, path = "/api/generate") => sent(page, path, () => panel(page).getByRole("button", { name: "Generate" }).click());
