// The page in a browser, against the service: each test is a session of its own. Every session fails if the page logs an
// error or violates its content security policy.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import { AXE, generate, key, open, panel, sent, startBrowser, startService, tab } from "./support.mjs";

const PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
const run = promisify(execFile);
let browser, service, keyless;

before(async () => {
  [browser, service, keyless] = await Promise.all([startBrowser(), startService(), startService("none")]);
});

after(async () => {
  await browser.close();
  await Promise.all([service.stop(), keyless.stop()]);
});

/** Opens the page with a key in it, does something, and checks that the page reported no error. */
async function session(steps, options) {
  const opened = await open(browser, service.url, options);
  await key(opened.page, service.key);
  await steps(opened.page, opened);
  await opened.close();
}

const field = (page, name) => panel(page).locator(`[name="${name}"]`);
const error = (page, kind, name) => page.locator(`#${kind}-${name}-error`);
const openAll = (page) => page.evaluate(() => document.querySelectorAll("details").forEach((one) => { one.open = true; }));
const shown = (page) => panel(page).locator(".secret").allTextContents();
/** The text on the clipboard, which the page itself may not read. */
async function clipboard(page) {
  const other = await page.context().newPage();
  await other.goto(`${service.url}/api/health`);
  const text = await other.evaluate(() => navigator.clipboard.readText());
  await other.close();
  await page.bringToFront();
  return text;
}

const said = (page, text) => page.locator("#announcement", { hasText: text }).waitFor({ state: "attached" });

/** Sets a control, whatever its kind. */
async function set(page, name, value) {
  const control = field(page, name);
  if (typeof value === "boolean") await control.setChecked(value);
  else if ((await control.evaluate((one) => one.tagName)) === "SELECT") await control.selectOption(value);
  else await control.fill(String(value));
}

test("each_password_control_has_its_effect_on_request_and_result", () => session(async (page) => {
  const runs = (text, step) => [...text].every((one, at) => at === 0 || one.charCodeAt(0) !== text.charCodeAt(at - 1) + step);
  const cases = [
    [{ length: 40 }, ({ password }) => password.length === 40],
    [{ lowercase: false }, ({ password }) => !/[a-z]/.test(password)],
    [{ uppercase: false }, ({ password }) => !/[A-Z]/.test(password)],
    [{ digits: false }, ({ password }) => !/[0-9]/.test(password)],
    [{ special: true }, ({ password }) => /[^0-9A-Za-z]/.test(password)],
    [{ min_lowercase: 14 }, ({ password }) => password.match(/[a-z]/g).length === 14],
    [{ min_uppercase: 14 }, ({ password }) => password.match(/[A-Z]/g).length === 14],
    [{ min_digits: 14 }, ({ password }) => password.match(/[0-9]/g).length === 14],
    [{ special: true, min_special: 13 }, ({ password }) => password.match(/[^0-9A-Za-z]/g).length === 13],
    [{ symbols: "~" }, ({ password }) => /^[0-9A-Za-z~]*$/.test(password) && password.includes("~")],
    [{ exclude: "abcdefghijklm" }, ({ password }) => !/[a-m]/.test(password)],
    [{ exclude_similar: true }, ({ password }) => !/[Il1|O0o]/.test(password)],
    [{ max_repeating: 1 }, ({ password }) => runs(password, 0)],
    [{ max_sequential: 1 }, ({ password }) => runs(password, 1)],
    [{ no_repeats: true }, ({ password }) => new Set(password).size === password.length],
    [{ start: "digit" }, ({ password }) => /^[0-9]/.test(password)],
    [{ min_classes: 2 }, ({ policy }) => policy.min_classes === 2],
    [{ min_entropy: 200 }, ({ entropy_bits }) => entropy_bits >= 200],
    [{ passwordrules: "minlength: 20; required: digit;" }, ({ password }) => /^[0-9]{20,}$/.test(password)],
    [{ policy: "aws-iam" }, ({ policy }) => policy.special === true],
    [{ count: 3 }, ({ passwords }) => passwords.length === 3],
  ];
  const controls = await panel(page).locator("form [name]:not([name$=-slider])").evaluateAll((all) => all.map((one) => one.name));
  assert.deepEqual(new Set(cases.flatMap(([settings]) => Object.keys(settings))), new Set(controls));
  for (const [settings, holds] of cases) {
    await page.goto(`${service.url}/#tab=password`);
    await openAll(page);
    for (const [name, value] of Object.entries(settings)) await set(page, name, value);
    const { request, status, answer } = await generate(page);
    assert.deepEqual(request, settings);
    assert.equal(status, 200, JSON.stringify(answer));
    assert.ok(holds(answer), JSON.stringify([settings, answer]));
    await panel(page).locator(".facts").first().waitFor();
    assert.deepEqual(await shown(page), answer.passwords ?? [answer.password]);
    await page.goto("about:blank");
    await page.goto(`${service.url}/`);
    await page.waitForSelector("html[data-ready]");
    await key(page, service.key);
  }
}));

test("each_passphrase_control_has_its_effect_on_request_and_result", () => session(async (page) => {
  const cases = [
    [{ words: 4 }, ({ passphrase }) => passphrase.split("-").length === 4],
    [{ wordlist: "eff-short-1" }, ({ policy }) => policy.wordlist === "eff-short-1"],
    [{ separator: "_" }, ({ passphrase }) => passphrase.split("_").length === 6],
    [{ separator: "" }, ({ passphrase }) => /^[a-z]+$/.test(passphrase)],
    [{ capitalize: true }, ({ passphrase }) => /^[A-Z]/.test(passphrase)],
    [{ number: true }, ({ passphrase }) => /[0-9]/.test(passphrase)],
    [{ min_entropy: 100 }, ({ words }) => words === 8],
    [{ count: 2 }, ({ passphrases }) => passphrases.length === 2],
  ];
  for (const [settings, holds] of cases) {
    await page.goto("about:blank");
    await page.goto(`${service.url}/#tab=passphrase`);
    await page.waitForSelector("html[data-ready]");
    await key(page, service.key);
    for (const [name, value] of Object.entries(settings)) await set(page, name, value);
    const { request, status, answer } = await generate(page, "/api/passphrase");
    assert.deepEqual([request, status], [settings, 200]);
    assert.ok(holds(answer), JSON.stringify(answer));
    await panel(page).locator(".facts").first().waitFor();
    assert.deepEqual(await shown(page), answer.passphrases ?? [answer.passphrase]);
  }
}));

test("slider_and_number_follow_each_other", () => session(async (page) => {
  const slider = page.getByRole("slider", { name: "Length, as a slider" });
  await slider.fill("33");
  assert.equal(await field(page, "length").inputValue(), "33");
  await field(page, "length").fill("50");
  assert.equal(await slider.inputValue(), "50");
}));

test("each_error_of_the_contract_appears_at_its_field", () => session(async (page) => {
  const cases = {
    password: [{ length: 3 }, { length: "x" }, { lowercase: false, min_lowercase: 1 }, { min_lowercase: -1 }, { min_uppercase: "x" },
      { min_digits: 99999 }, { min_special: 1 }, { symbols: "abc" }, { exclude: "0123456789", min_digits: 1 }, { max_repeating: 0 },
      { max_sequential: 0 }, { min_classes: 5 }, { min_entropy: 4000 }, { passwordrules: "required: nothing;" }, { count: 101 },
      { digits: false, start: "digit" }, { policy: "aws-iam", special: false }, { length: 100, no_repeats: true },
      { lowercase: false, uppercase: false, digits: false }, { exclude_similar: true, symbols: "|", min_special: 1 }, { length: 8, min_entropy: 100 }],
    passphrase: [{ words: 2 }, { separator: "123456789" }, { min_entropy: 0 }, { count: 0 }, { words: 3, min_entropy: 500 }],
    check: [{}, { password: "x", length: 5000 }, { password: "x", symbols: "a" }, { password: "x", passwordrules: "?" }],
  };
  const paths = { password: "/api/generate", passphrase: "/api/passphrase", check: "/api/validate" };
  const named = new Set();
  for (const [kind, settings] of Object.entries(cases)) {
    for (const one of settings) {
      await page.goto("about:blank");
      await page.goto(`${service.url}/#tab=${kind}`);
      await page.waitForSelector("html[data-ready]");
      await key(page, service.key);
      // A closed group must open by itself where its field is wrong.
      await openAll(page);
      for (const [name, value] of Object.entries(one)) await set(page, name, value);
      await page.evaluate(() => document.querySelectorAll("details").forEach((each) => { each.open = false; }));
      const button = panel(page).locator("button.main");
      const { status, answer } = await sent(page, paths[kind], () => button.click());
      assert.equal(status, 400, JSON.stringify([kind, one, answer]));
      const place = answer.parameter ? error(page, kind, answer.parameter) : page.locator(`#${kind}-problem`);
      await place.waitFor();
      assert.equal(await place.textContent(), answer.detail);
      if (answer.parameter) {
        named.add(answer.parameter);
        const control = field(page, answer.parameter);
        assert.equal(await control.getAttribute("aria-invalid"), "true", JSON.stringify(one));
        assert.ok(await control.evaluate((element) => element === document.activeElement), JSON.stringify([one, answer]));
        assert.ok((await control.getAttribute("aria-describedby")).includes(await place.getAttribute("id")));
      }
    }
  }
  for (const name of ["length", "min_lowercase", "min_uppercase", "min_digits", "min_special", "symbols", "exclude", "max_repeating",
    "max_sequential", "min_classes", "min_entropy", "passwordrules", "count", "start", "special", "words", "separator", "password"]) {
    assert.ok(named.has(name), `no error named ${name}: ${[...named]}`);
  }
}));

test("error_without_a_parameter_appears_above_the_form", () => session(async (page) => {
  await field(page, "exclude").fill("a".repeat(17_000));
  const { status, answer } = await generate(page);
  assert.equal(status, 413);
  assert.equal(await page.locator("#password-problem").textContent(), answer.detail);
  await field(page, "exclude").fill("a");
  await generate(page);
  await panel(page).locator(".secret").waitFor();
  assert.ok(await page.locator("#password-problem").isHidden());
}));

test("missing_or_unknown_key_is_reported_at_the_key", () => session(async (page) => {
  for (const [text, expected] of [["", "Enter an API key."], ["plk_wrong", "Send a valid API key"], [service.unknown, "Send a valid API key"], ["ключ", "This is not an API key."]]) {
    await key(page, text);
    await panel(page).getByRole("button", { name: "Generate" }).click();
    await page.locator("#key-error", { hasText: expected }).waitFor();
    assert.equal(await page.getByLabel("API key", { exact: true }).getAttribute("aria-invalid"), "true");
  }
}));

for (const width of [320, 1280]) {
  test(`accepted_key_is_one_line_${width}`, () => session(async (page) => {
    const card = page.locator("#access");
    const line = page.locator("#key-line");
    const height = async () => (await card.boundingBox()).height;
    assert.ok((await height()) > 100);
    await generate(page);
    await line.filter({ hasText: "Key “tests”" }).waitFor();
    assert.ok((await height()) < 72, String(await height()));
    assert.ok(await page.locator("#key").isHidden());
    await line.click();
    await page.getByLabel("Keep the key in this tab").check();
    await page.reload();
    await page.waitForSelector("html[data-ready]");
    // A key that is kept is not asked about: that would be a request. It is accepted with the first result.
    await page.locator("#key").waitFor();
    await generate(page);
    await line.filter({ hasText: "The key is accepted" }).waitFor();
    assert.ok((await height()) < 72);
    await key(page, service.unknown);
    assert.ok(await line.isHidden());
    await page.locator("#keep").uncheck();
    await panel(page).getByRole("button", { name: "Generate" }).click();
    await page.locator("#key-error", { hasText: "Send a valid API key" }).waitFor();
    await key(page, service.key);
    await generate(page);
    await line.waitFor();
    await line.click();
    await page.getByRole("button", { name: "Forget the key" }).click();
    assert.ok(await line.isHidden() && await page.locator("#key").isVisible());
  }, { viewport: { width, height: 900 } }));
}

test("key_that_is_no_longer_accepted_opens_its_card", () => session(async (page, { session: context }) => {
  await generate(page);
  await page.locator("#key").waitFor({ state: "hidden" });
  await context.route("**/api/generate", (route) => route.fulfill({ status: 401, json: { detail: "Send a valid API key." } }));
  await generate(page);
  await page.locator("#key-error", { hasText: "Send a valid API key" }).waitFor();
  assert.ok(await page.locator("#key").evaluate((one) => one === document.activeElement));
}));

test("card_of_the_key_does_not_close_under_a_pressed_pointer", () => session(async (page) => {
  const button = await panel(page).getByRole("button", { name: "Generate" }).boundingBox();
  await page.mouse.move(button.x + button.width / 2, button.y + button.height / 2);
  await Promise.all([page.waitForResponse("**/api/key"), page.mouse.down()]);
  await page.locator("#key-status", { hasText: "Key “tests”" }).waitFor();
  await Promise.all([page.waitForResponse("**/api/generate"), page.mouse.up()]);
  await page.locator("#key").waitFor({ state: "hidden" });
}));

test("enter_in_the_field_of_the_key_generates", () => session(async (page) => {
  for (const [name, path] of [["Password", "/api/generate"], ["Passphrase", "/api/passphrase"]]) {
    await tab(page, name);
    await key(page, service.key);
    assert.equal((await sent(page, path, () => page.keyboard.press("Enter"))).status, 200);
    await panel(page).locator(".secret").waitFor();
    await page.locator("#key").waitFor({ state: "hidden" });
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Generate");
  }
}));

for (const width of [320, 399]) {
  test(`field_of_the_key_is_wider_than_its_button_${width}`, () => session(async (page) => {
    const [input, button] = await Promise.all([page.locator("#key").boundingBox(), page.locator("#forget").boundingBox()]);
    assert.ok(input.width > button.width, `${input.width}, ${button.width}`);
  }, { viewport: { width, height: 900 } }));
}

test("copy_puts_the_password_on_the_clipboard", () => session(async (page) => {
  const { answer } = await generate(page);
  await panel(page).getByRole("button", { name: "Copy", exact: true }).click();
  await said(page, "Password copied. A page cannot clear the clipboard");
  assert.equal(await clipboard(page), answer.password);
  await panel(page).getByRole("button", { name: "Hide" }).click();
  assert.ok(!(await shown(page)).join().includes(answer.password));
  await panel(page).getByRole("button", { name: "Show" }).click();
  assert.deepEqual(await shown(page), [answer.password]);
}));

test("several_passwords_are_copied_and_downloaded_as_text", () => session(async (page) => {
  await field(page, "count").fill("5");
  const { answer: { passwords } } = await generate(page);
  const text = passwords.map((one) => `${one}\n`).join("");
  await panel(page).getByRole("button", { name: "Copy all" }).click();
  await said(page, "5 passwords copied.");
  assert.equal(await clipboard(page), text);
  await panel(page).getByRole("button", { name: "Copy password 2" }).click();
  await said(page, "Password 2 copied.");
  assert.equal(await clipboard(page), passwords[1]);
  const [download] = await Promise.all([page.waitForEvent("download"), panel(page).getByRole("button", { name: "Download" }).click()]);
  assert.equal(download.suggestedFilename(), "passwords.txt");
  assert.equal(await readFile(await download.path(), "utf8"), text);
}));

test("digits_and_symbols_differ_in_more_than_colour", () => session(async (page) => {
  await field(page, "symbols").fill("#");
  await generate(page);
  const style = (kind, name) => panel(page).locator(`.secret .${kind}`).first().evaluate((one, property) => getComputedStyle(one)[property], name);
  assert.match(await style("digit", "textDecorationLine"), /underline/);
  assert.notEqual(await style("symbol", "backgroundColor"), await style("letter", "backgroundColor"));
}));

test("result_explains_entropy_and_policy_and_describes_it_on_request", () => session(async (page) => {
  const { answer } = await generate(page);
  const facts = await panel(page).locator(".facts").first().textContent();
  assert.ok(facts.includes(`${answer.entropy_bits} bits`) && facts.includes("× 10") && facts.includes("passwords"), facts);
  await openAll(page);
  assert.ok((await panel(page).getByText("The resolved policy").locator("..").textContent()).includes("min_lowercase"));
  const { answer: described } = await sent(page, "/api/policy", () => panel(page).getByRole("button", { name: "Describe the policy" }).click());
  await panel(page).getByText(described.combinations).waitFor();
  await panel(page).getByText(described.regex, { exact: true }).waitFor();
}));

test("check_lists_each_violation", () => session(async (page) => {
  await tab(page, "Check");
  await set(page, "policy", "nist-800-63b");
  await field(page, "password").fill("P@ssw0rd");
  const { request, answer } = await sent(page, "/api/validate", () => panel(page).getByRole("button", { name: "Check" }).click());
  assert.deepEqual(request, { password: "P@ssw0rd", policy: "nist-800-63b" });
  assert.deepEqual(await panel(page).locator(".violations li").allTextContents(), answer.violations.map((one) => `${one.constraint}: ${one.message}`));
  await field(page, "password").fill("correct horse battery staple 42");
  await set(page, "policy", "");
  await sent(page, "/api/validate", () => panel(page).getByRole("button", { name: "Check" }).click());
  await panel(page).locator(".verdict").waitFor();
  await panel(page).getByRole("button", { name: "Show" }).click();
  assert.equal(await field(page, "password").getAttribute("type"), "text");
}));

test("check_accepts_any_length_and_says_so", () => session(async (page) => {
  const hint = async () => [await page.locator("#check-length-hint").textContent(), await field(page, "length").getAttribute("placeholder")];
  const expected = ["4 to 4096. Empty: any length that the other rules permit.", null];
  await tab(page, "Check");
  assert.deepEqual(await hint(), expected);
  assert.equal(await panel(page).getByRole("slider").count(), 0);
  await set(page, "policy", "nist-800-63b");
  assert.deepEqual(await hint(), expected);
  await set(page, "policy", "");
  for (const password of ["aB1x", `aB1${"x".repeat(4000)}`]) {
    await field(page, "password").fill(password);
    const { answer } = await sent(page, "/api/validate", () => panel(page).getByRole("button", { name: "Check", exact: true }).click());
    assert.equal(answer.valid, true);
  }
}));

test("policy_is_listed_with_its_source_and_used", () => session(async (page) => {
  await tab(page, "Policies");
  const { presets } = await (await page.request.get(`${service.url}/api/presets`)).json();
  assert.deepEqual(await panel(page).locator("h3").allTextContents(), presets.map((one) => one.name));
  for (const one of presets) assert.equal(await panel(page).locator(`a[href="${one.source.url}"]`).first().textContent(), presets.find((other) => other.source.url === one.source.url).source.standard);
  await panel(page).getByRole("button", { name: "Use wpa2" }).click();
  assert.equal(await field(page, "policy").inputValue(), "wpa2");
  const { request } = await generate(page);
  assert.deepEqual(request, { policy: "wpa2" });
}));

test("each_preset_generates_with_its_settings_untouched", () => session(async (page) => {
  for (const name of (await field(page, "policy").locator("optgroup option").allTextContents())) {
    await set(page, "policy", name);
    const { request, status } = await generate(page);
    assert.deepEqual([request, status], [{ policy: name }, 200]);
  }
}));

test("stored_policies_and_the_policy_of_a_key_are_shown", () => session(async (page, { session: context }) => {
  await context.route("**/api/key", (route) => route.fulfill({ json: { name: "ci", admin: false, policy: { name: "team", kind: "stored" }, min_entropy: 80,
    expires_at: null, limits: { per_minute: 60, per_day: 1000 }, remaining: { per_minute: 60, per_day: 1000 } } }));
  await context.route("**/api/policies", async (route) => {
    const policies = [{ name: "team", description: "Ours", revision: 2, updated_at: "2026-01-01T00:00:00Z", updated_by: "admin", policy: { length: 30, lowercase: true, uppercase: false, digits: true, special: false } }];
    await route.fulfill({ json: { policies } });
  });
  await key(page, "");
  await key(page, service.key);
  await page.keyboard.press("Tab");
  await page.getByText("Key “ci”, bound to the policy team, at least 80 bits, 60 requests a minute, 1000 a day").waitFor();
  await tab(page, "Policies");
  await panel(page).getByRole("button", { name: "Load the stored policies" }).click();
  await panel(page).getByRole("button", { name: "Use team" }).click();
  assert.equal(await field(page, "uppercase").isChecked(), false);
  assert.equal(await field(page, "length").getAttribute("placeholder"), "30");
}));

test("stored_policies_are_asked_for_with_a_key_alone", () => session(async (page, { session: context }) => {
  const requests = [];
  await context.route("**/api/policies", (route) => {
    requests.push(route.request().headers()["x-api-key"]);
    // An administrator alone is told who wrote a policy.
    route.fulfill({ json: { policies: [{ name: "team", description: "", revision: 2, updated_at: "2026-01-01T00:00:00Z", policy: { uppercase: false, lowercase: true, digits: true, special: false } }] } });
  });
  await page.evaluate(() => { location.hash = "tab=password&policy=team&length=20"; });
  await page.waitForFunction(() => document.querySelector("#password-policy").value === "team");
  await tab(page, "Policies");
  const load = panel(page).getByRole("button", { name: "Load the stored policies" });
  await key(page, "");
  await load.click();
  await page.locator("#key-error", { hasText: "Enter an API key." }).waitFor();
  assert.deepEqual(requests, []);
  await key(page, service.key);
  await load.click();
  assert.equal(await panel(page).getByText("Revision 2").textContent(), "Revision 2");
  assert.deepEqual(requests, [service.key]);
  // The form that a link has filled is now over the policy's classes.
  await tab(page, "Password");
  assert.equal(await field(page, "uppercase").isChecked(), false);
  await panel(page).getByText("The same request").click();
  assert.deepEqual(JSON.parse(await panel(page).getByLabel("JSON", { exact: true }).textContent()), { policy: "team", length: 20 });
}));

test("key_is_in_no_storage_url_or_log_after_a_session", () => session(async (page, { session: context }) => {
  await generate(page);
  await tab(page, "Check");
  await field(page, "password").fill("a checked password");
  await sent(page, "/api/validate", () => panel(page).getByRole("button", { name: "Check" }).click());
  const kept = () => page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, history.state, location.href, document.cookie]));
  for (const secret of [service.key, "a checked password", "a+checked+password"]) {
    assert.ok(!(await kept()).includes(secret));
    assert.ok(!service.log().includes(secret));
  }
  assert.deepEqual(await context.cookies(), []);
  const command = await panel(page).locator("pre").allTextContents();
  assert.ok(!command.join().includes(service.key));
  await page.locator("#key-line").click();
  await page.getByLabel("Keep the key in this tab").check();
  assert.ok((await page.evaluate(() => JSON.stringify({ ...sessionStorage }))).includes(service.key));
  assert.deepEqual(await page.evaluate(() => ({ ...localStorage })), {});
  await page.reload();
  await page.waitForSelector("html[data-ready]");
  assert.equal(await page.getByLabel("API key", { exact: true }).inputValue(), service.key);
  await page.getByRole("button", { name: "Forget the key" }).click();
  assert.deepEqual(await page.evaluate(() => ({ ...sessionStorage })), {});
  assert.equal(await page.getByLabel("API key", { exact: true }).inputValue(), "");
}));

test("fragment_and_reload_restore_the_form", () => session(async (page, { session: context }) => {
  await openAll(page);
  const settings = { policy: "aws-iam", length: 33, symbols: "!&=+#%", exclude: "<>'\" é", exclude_similar: true, max_repeating: 2, start: "letter", count: 2 };
  for (const [name, value] of Object.entries(settings)) await set(page, name, value);
  await panel(page).getByRole("button", { name: "Copy a link" }).click();
  await said(page, "Link copied");
  const link = await clipboard(page);
  const values = (one) => panel(one).locator("form [name]").evaluateAll((all) => all.map((each) => [each.name, each.type === "checkbox" ? each.checked : each.value]));
  const typed = await values(page);
  const other = await context.newPage();
  await other.goto(link);
  await other.waitForSelector("html[data-ready]");
  assert.deepEqual(await values(other), typed);
  await key(other, service.key);
  assert.deepEqual((await sent(other, "/api/generate", () => panel(other).getByRole("button", { name: "Generate" }).click())).request, settings);
  await tab(page, "Passphrase");
  await field(page, "words").fill("9");
  await field(page, "separator").fill("");
  await tab(page, "Check");
  await field(page, "password").fill("secret");
  await page.reload();
  await page.waitForSelector("html[data-ready]");
  assert.equal(await field(page, "password").inputValue(), "");
  await tab(page, "Passphrase");
  assert.deepEqual([await field(page, "words").inputValue(), await field(page, "separator").inputValue()], ["9", ""]);
  await tab(page, "Password");
  assert.deepEqual(await values(page), typed);
  await page.evaluate(() => { location.hash = "tab=password&length=12&digits=false"; });
  await page.waitForFunction(() => document.querySelector("#password-length").value === "12");
  assert.equal(await field(page, "digits").isChecked(), false);
  assert.equal(await field(page, "policy").inputValue(), "");
}));

test("settings_of_a_link_are_named_until_they_are_reset", async () => {
  const notice = (page) => panel(page).getByText("These settings come from a link.", { exact: true });
  const opened = await open(browser, service.url, { path: "/#tab=password&length=4&lowercase=false&uppercase=false&exclude=012345678" });
  const { page } = opened;
  await key(page, service.key);
  await notice(page).waitFor();
  await field(page, "length").fill("5");
  await page.reload();
  await page.waitForSelector("html[data-ready]");
  await notice(page).waitFor();
  await tab(page, "Passphrase");
  assert.ok(await notice(page).isHidden());
  await tab(page, "Password");
  await panel(page).getByRole("button", { name: "Reset the settings" }).click();
  await said(page, "The settings are reset.");
  assert.ok(await notice(page).isHidden());
  await key(page, service.key);
  assert.deepEqual((await generate(page)).request, {});
  await page.reload();
  await page.waitForSelector("html[data-ready]");
  assert.ok(await notice(page).isHidden());
  await page.evaluate(() => { location.hash = "tab=passphrase&words=3"; });
  await notice(page).waitFor();
  await opened.close();
});

test("booleans_of_a_link_are_read_as_the_service_reads_them", () => session(async (page) => {
  for (const [text, expected] of [["true", true], ["T", true], ["Yes", true], ["y", true], ["on", true], ["1", true],
    ["false", false], ["f", false], ["no", false], ["N", false], ["off", false], ["0", false], ["", false]]) {
    const response = await page.request.get(`${service.url}/api/generate?special=${text}`, { headers: { "X-Api-Key": service.key } });
    assert.equal(response.status(), text ? 200 : 400);
    await page.evaluate((hash) => { location.hash = hash; }, `tab=password&length=20&special=${text}&count=${text.length + 1}`);
    await page.waitForFunction((count) => document.querySelector("#password-count").value === count, String(text.length + 1));
    assert.equal(await field(page, "special").isChecked(), expected, text);
    await page.evaluate(() => { location.hash = "tab=password"; });
    await page.waitForFunction(() => document.querySelector("#password-count").value === "");
  }
}));

test("result_below_50_bits_is_a_warning", () => session(async (page) => {
  const warning = (bits) => panel(page).getByText(`Weak: ${bits} bits.`);
  const cases = [
    ["password", "length=4&lowercase=false&uppercase=false&exclude=012345678&min_digits=0", "/api/generate", 0],
    ["password", "length=9", "/api/generate", null],
    ["passphrase", "words=3", "/api/passphrase", 38.77],
    ["passphrase", "words=4", "/api/passphrase", null],
  ];
  for (const [kind, settings, path, bits] of cases) {
    await page.evaluate((hash) => { location.hash = hash; }, `tab=${kind}&${settings}`);
    await page.waitForFunction((hash) => document.querySelector(`#tab-${hash}`).ariaSelected === "true", kind);
    const { answer } = await generate(page, path);
    await panel(page).locator(".facts", { hasText: `${answer.entropy_bits} bits` }).first().waitFor();
    if (bits !== null) {
      assert.equal(answer.entropy_bits, bits);
      await warning(bits).waitFor();
      await said(page, "Warning: it can be guessed.");
    } else assert.ok(answer.entropy_bits >= 50 && await panel(page).getByText("Weak:").count() === 0);
  }
}));

test("result_of_other_settings_is_dimmed_and_not_copied", () => session(async (page, { session: context }) => {
  const note = panel(page).getByText("This belongs to other settings.");
  const opacity = () => panel(page).locator(".secret").first().evaluate((one) => getComputedStyle(one.closest("[class~=stale]") ?? one).opacity);
  const copies = panel(page).locator(".secrets button, .secrets + .tools button").filter({ hasText: /Copy|Download/ });
  const belongs = async (expected) => {
    await note.waitFor({ state: expected ? "hidden" : "visible" });
    assert.equal(await opacity() === "1", expected);
    for (const button of await copies.all()) assert.equal(await button.isEnabled(), expected);
  };
  await field(page, "count").fill("2");
  const { answer } = await generate(page);
  await panel(page).locator(".secret").first().waitFor();
  await belongs(true);
  for (const [name, other, same] of [["length", "30", ""], ["special", true, false], ["policy", "wpa2", ""], ["max_repeating", "1", ""]]) {
    await openAll(page);
    await set(page, name, other);
    await belongs(false);
    await said(page, "The result belongs to other settings.");
    await set(page, name, same);
    await belongs(true);
  }
  await panel(page).getByRole("slider").fill("40");
  await belongs(false);
  await panel(page).getByRole("button", { name: "Hide" }).click();
  await belongs(false);
  await field(page, "length").fill("3");
  assert.equal((await generate(page)).status, 400);
  await error(page, "password", "length").waitFor();
  await belongs(false);
  await panel(page).getByRole("button", { name: "Show" }).click();
  assert.deepEqual(await shown(page), answer.passwords);
  await field(page, "length").fill("");
  await belongs(true);
  // The same settings may be refused later: a stored policy was changed.
  await context.route("**/api/generate", (route) => route.fulfill({ status: 400, json: { detail: "The policy permits no password." } }));
  await generate(page);
  await belongs(false);
  await context.unroute("**/api/generate");
  await generate(page);
  await belongs(true);
  await tab(page, "Check");
  await field(page, "password").fill("one");
  await sent(page, "/api/validate", () => panel(page).getByRole("button", { name: "Check", exact: true }).click());
  await panel(page).locator(".verdict").waitFor();
  await field(page, "password").fill("two");
  await panel(page).getByText("This belongs to another password, or to other settings.").waitFor();
}));

test("error_is_scrolled_into_view", () => session(async (page) => {
  for (const [name, value] of [["length", "3"], ["count", "0"], ["exclude", "a".repeat(17_000)]]) {
    await field(page, name).fill(value);
    await field(page, name).evaluate((one) => one.scrollIntoView({ block: "end" }));
    const { answer } = await sent(page, "/api/generate", () => field(page, name).press("Enter"));
    const place = answer.parameter ? error(page, "password", answer.parameter) : page.locator("#password-problem");
    await place.waitFor();
    const { top, bottom } = await place.evaluate((one) => { const { top, bottom } = one.getBoundingClientRect(); return { top, bottom }; });
    assert.ok(top >= 0 && bottom <= 500, `${name}: ${top} to ${bottom}`);
    await field(page, name).fill("");
  }
  await key(page, "plk_wrong");
  await field(page, "count").press("Enter");
  await page.locator("#key-error", { hasText: "Send a valid API key" }).waitFor();
  const { top, bottom } = await page.locator("#key-error").evaluate((one) => { const { top, bottom } = one.getBoundingClientRect(); return { top, bottom }; });
  assert.ok(top >= 0 && bottom <= 500, `key: ${top} to ${bottom}`);
}, { viewport: { width: 320, height: 500 } }));

test("refused_copy_says_what_to_do", () => session(async (page) => {
  await page.evaluate(() => { navigator.clipboard.writeText = () => Promise.reject(new DOMException("denied", "NotAllowedError")); });
  const { answer } = await generate(page);
  const copy = panel(page).getByRole("button", { name: "Copy", exact: true });
  await copy.click();
  await said(page, "The browser did not permit copying. The password is selected: copy it with the keyboard.");
  assert.equal(await page.evaluate(() => String(getSelection())), answer.password);
  await panel(page).getByRole("button", { name: "Hide" }).click();
  await copy.click();
  await said(page, "The browser did not permit copying. Choose Show, and copy again.");
  await panel(page).getByRole("button", { name: "Show" }).click();
  await copy.click();
  assert.equal(await page.evaluate(() => String(getSelection())), answer.password);
  await panel(page).getByRole("button", { name: "Copy a link" }).click();
  await said(page, "The browser did not permit copying. Copy the address of this page.");
}));

test("hostile_characters_are_shown_copied_and_sent_by_the_command_unharmed", () => session(async (page) => {
  for (const [name, value] of Object.entries({ lowercase: false, uppercase: false, digits: false, symbols: PUNCTUATION, length: 32 })) await set(page, name, value);
  await openAll(page);
  await set(page, "no_repeats", true);
  const { answer: { password } } = await generate(page);
  assert.equal([...password].sort().join(""), [...PUNCTUATION].sort().join(""));
  assert.deepEqual(await shown(page), [password]);
  await panel(page).getByRole("button", { name: "Copy", exact: true }).click();
  await said(page, "Password copied");
  assert.equal(await clipboard(page), password);
  const environment = { env: { ...process.env, KEY: service.key } };
  await panel(page).getByRole("button", { name: "Copy the command" }).click();
  await said(page, "command copied");
  const generated = await run("sh", ["-c", `${await clipboard(page)} -sS`], environment);
  assert.equal(JSON.parse(generated.stdout).policy.symbols, [...PUNCTUATION].sort().join(""));
  await tab(page, "Check");
  await field(page, "password").fill(password);
  await openAll(page);
  const { answer } = await sent(page, "/api/validate", () => panel(page).getByRole("button", { name: "Check", exact: true }).click());
  await panel(page).getByRole("button", { name: "Copy the JSON" }).click();
  await said(page, "JSON copied");
  assert.deepEqual(JSON.parse(await clipboard(page)), { password });
  await panel(page).getByRole("button", { name: "Copy the command" }).click();
  await said(page, "command copied");
  const checked = await run("sh", ["-c", `${await clipboard(page)} -sS`], environment);
  assert.deepEqual(JSON.parse(checked.stdout), answer);
}));

test("used_up_limit_disables_the_button_until_it_returns", async () => {
  const opened = await open(browser, service.url);
  const { page } = opened;
  await page.clock.install();
  await key(page, service.limited);
  // What the service says of the key is the first request.
  await page.locator("#key").blur();
  await page.locator("#key-line", { hasText: "3 requests a minute" }).waitFor();
  for (const left of [1, 0]) {
    await generate(page);
    await page.locator("#limits", { hasText: `Requests left: ${left} of 3 in this minute` }).waitFor();
  }
  const { status, answer } = await generate(page);
  assert.equal(status, 429);
  await page.locator("#password-problem", { hasText: answer.detail }).waitFor();
  const button = panel(page).getByRole("button", { name: /^Wait \d+ s$/ });
  assert.equal(await button.getAttribute("aria-disabled"), "true");
  const requests = [];
  page.on("request", (request) => requests.push(request.url()));
  await button.click({ force: true });
  assert.deepEqual(requests, []);
  await page.clock.runFor(70_000);
  await said(page, "The limit permits requests again.");
  await key(page, service.key);
  assert.equal((await generate(page)).status, 200);
  await opened.close();
});

test("unreachable_service_is_reported_and_nothing_is_lost", () => session(async (page, { session: context }) => {
  await field(page, "length").fill("77");
  const { answer } = await generate(page);
  await context.setOffline(true);
  await panel(page).getByRole("button", { name: "Generate" }).click();
  await page.locator("#password-problem", { hasText: "The service could not be reached. Nothing that you typed is lost" }).waitFor();
  assert.equal(await field(page, "length").inputValue(), "77");
  assert.deepEqual(await shown(page), [answer.password]);
  await context.setOffline(false);
  assert.equal((await generate(page)).answer.password.length, 77);
}));

test("answer_of_another_program_is_reported", () => session(async (page, { session: context }) => {
  await context.route("**/api/generate", (route) => route.fulfill({ status: 429, json: { message: "Too Many Requests" } }));
  await generate(page);
  await page.locator("#password-problem", { hasText: "Rate limit exceeded. Too Many Requests" }).waitFor();
  await page.locator("#announcement", { hasText: "The limit permits requests again." }).waitFor({ state: "attached" });
  await context.unroute("**/api/generate");
  assert.equal((await generate(page)).status, 200);
}));

test("loading_the_page_spends_no_quota", async () => {
  const before = service.log();
  const opened = await open(browser, service.url);
  const lines = service.log().slice(before.length).trim().split("\n").map((line) => JSON.parse(line));
  assert.ok(lines.some((line) => line.event === "page.read"));
  for (const line of lines) assert.deepEqual([line.sequence, line.key_id, line.remaining], [null, null, null]);
  assert.deepEqual(new Set(lines.map((line) => line.operation)), new Set(["page", "presets"]));
  await opened.close();
});

test("page_and_reference_work_behind_a_stage", async () => {
  const opened = await open(browser, service.url);
  const { page, session: context } = opened;
  await context.route("**/prod/**", async (route) => route.fulfill({ response: await route.fetch({ url: route.request().url().replace("/prod/", "/") }) }));
  await page.goto(`${service.url}/prod/`);
  await page.waitForSelector("html[data-ready]");
  await key(page, service.key);
  const [request] = await Promise.all([page.waitForRequest("**/prod/api/generate"), generate(page)]);
  assert.equal(request.url(), `${service.url}/prod/api/generate`);
  await page.getByRole("link", { name: "API reference" }).click();
  await page.waitForURL("**/prod/docs");
  await page.waitForSelector("html[data-ready]");
  const block = page.locator("[id$=-health].opblock");
  await block.locator(".opblock-summary-control").click();
  await block.getByRole("button", { name: "Try it out" }).click();
  await Promise.all([page.waitForResponse("**/prod/api/health"), block.getByRole("button", { name: "Execute" }).click()]);
  await opened.close();
});

test("deployment_without_keys_asks_for_none", async () => {
  const opened = await open(browser, keyless.url);
  assert.ok(await opened.page.locator("#access").isHidden());
  assert.equal((await generate(opened.page)).status, 200);
  await opened.page.getByText("The same request").first().click();
  assert.ok(!(await opened.page.locator("#panel-password pre").first().textContent()).includes("X-Api-Key"));
  await opened.close();
});

/** Moves the focus by Tab, or another key, until a control with this name has it. */
async function tabTo(page, name, press = "Tab") {
  for (let presses = 0; presses < 80; presses += 1) {
    await page.keyboard.press(press);
    const focused = await page.evaluate(() => {
      const one = document.activeElement;
      return one.getAttribute("aria-label") ?? one.labels?.[0]?.textContent ?? one.textContent;
    });
    if (focused === name) return;
  }
  assert.fail(`Tab does not reach ${name}`);
}

test("whole_session_works_by_keyboard_alone", async () => {
  const opened = await open(browser, service.url);
  const { page } = opened;
  await tabTo(page, "API key");
  await page.keyboard.type(service.key);
  await tabTo(page, "Password");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Policies");
  await page.keyboard.press("Home");
  await tabTo(page, "Length");
  await page.keyboard.type("21");
  await tabTo(page, "Special characters");
  await page.keyboard.press("Space");
  const [response] = await Promise.all([page.waitForResponse("**/api/generate"), page.keyboard.press("Enter")]);
  assert.deepEqual(response.request().postDataJSON(), { length: 21, special: true });
  const { password } = await response.json();
  await panel(page).locator(".secret").waitFor();
  await tabTo(page, "Copy", "Shift+Tab");
  await page.keyboard.press("Enter");
  await said(page, "Password copied");
  assert.equal(await clipboard(page), password);
  await tabTo(page, "Generate");
  await Promise.all([page.waitForResponse("**/api/generate"), page.keyboard.press("Enter")]);
  await opened.close();
});

/** The rules of axe for WCAG 2.0 to 2.2, levels A and AA. */
const axe = (page) => page.evaluate(async () => {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const { violations } = await window.axe.run(document, { runOnly: tags });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`);
});

for (const colorScheme of ["light", "dark"]) {
  for (const width of [320, 1280]) {
    test(`axe_finds_nothing_in_any_tab_${colorScheme}_${width}`, () => session(async (page) => {
      // The scanner is no part of the page, so the policy of the page does not apply to it.
      const scan = async (place) => {
        await page.evaluate(scanner);
        assert.deepEqual(await axe(page), [], place);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        assert.ok(overflow <= 0, `${place} is ${overflow} pixels too wide`);
      };
      const scanner = await readFile(AXE, "utf8");
      await scan("empty");
      await field(page, "count").fill("2");
      await field(page, "symbols").fill("#&");
      await generate(page);
      await openAll(page);
      await sent(page, "/api/policy", () => panel(page).getByRole("button", { name: "Describe the policy" }).click());
      await scan("password");
      await field(page, "length").fill("3");
      await generate(page);
      await error(page, "password", "length").waitFor();
      await scan("error beside the result of other settings");
      await page.evaluate(() => { location.hash = "tab=password&length=4"; });
      await panel(page).getByText("These settings come from a link.").waitFor();
      await generate(page);
      await panel(page).getByText("Weak:").waitFor();
      await scan("weak, from a link");
      await tab(page, "Passphrase");
      await generate(page, "/api/passphrase");
      await scan("passphrase");
      await tab(page, "Check");
      await field(page, "password").fill("P@ssw0rd");
      await set(page, "policy", "nist-800-63b");
      await sent(page, "/api/validate", () => panel(page).getByRole("button", { name: "Check", exact: true }).click());
      await scan("check");
      await tab(page, "Policies");
      await scan("policies");
    }, { colorScheme, viewport: { width, height: 900 }, reducedMotion: "reduce" }));
  }
}

test("targets_have_at_least_24_pixels", () => session(async (page) => {
  await generate(page);
  for (const name of ["Password", "Passphrase", "Check", "Policies"]) {
    await tab(page, name);
    const small = await page.locator("a:visible, button:visible, input:visible, select:visible, summary:visible").evaluateAll((all) =>
      all.filter((one) => { const box = one.getBoundingClientRect(); return box.width < 24 || box.height < 24; }).map((one) => one.outerHTML));
    assert.deepEqual(small, []);
  }
}, { viewport: { width: 320, height: 900 } }));

test("labels_of_the_classes_overlap_nothing", () => session(async (page) => {
  const overlaps = await page.locator("#panel-password .classes").evaluate((classes) => {
    const range = document.createRange();
    // The text of a label may be wider than its box.
    const places = [...classes.querySelectorAll("label:not(.away), .minimum > span, input")].map((one) => {
      range.selectNode(one);
      return [one.textContent || one.name, range.getBoundingClientRect()];
    });
    const apart = (one, other) => one.right <= other.left || other.right <= one.left || one.bottom <= other.top || other.bottom <= one.top;
    return places.flatMap(([name, place], at) => places.slice(at + 1).filter(([, other]) => !apart(place, other)).map(([other]) => `${name}, ${other}`));
  });
  assert.deepEqual(overlaps, []);
}, { viewport: { width: 320, height: 900 } }));
