// The API reference in a browser: Swagger UI under the content security policy.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";

import { AXE, open, startBrowser, startService } from "./support.mjs";

let browser, service;

before(async () => {
  [browser, service] = await Promise.all([startBrowser(), startService()]);
});

after(async () => {
  await browser.close();
  await service.stop();
});

const NARROW = { width: 375, height: 900 };
const width = (page) => page.evaluate(() => document.documentElement.scrollWidth);

test("execute_with_a_key_shows_the_answer_within_375_pixels", async () => {
  const opened = await open(browser, service.url, { path: "/docs", viewport: NARROW });
  const { page } = opened;
  await page.locator(".btn.authorize").click();
  const scheme = page.locator(".auth-container").filter({ hasText: "X-Api-Key" });
  await scheme.locator("input").fill(service.key);
  await scheme.locator("button.authorize").click();
  await page.locator(".btn-done").first().click();
  for (const id of ["generate", "generateByBody"]) {
    const block = page.locator(`[id$="-${id}"].opblock`);
    await block.locator(".opblock-summary-control").first().click();
    await block.getByRole("button", { name: "Try it out" }).click();
    const [response] = await Promise.all([page.waitForResponse("**/api/generate**"), block.getByRole("button", { name: "Execute" }).click()]);
    const text = JSON.stringify(await response.json());
    assert.equal(response.status(), 200, text);
    assert.equal(response.request().headers()["x-api-key"], service.key);
    await block.locator(".live-responses-table .response-col_status", { hasText: "200" }).waitFor();
    assert.equal(await width(page), NARROW.width);
  }
  const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, location.href]));
  assert.ok(!stored.includes(service.key) && !service.log().includes(service.key));
  await opened.close();
});

test("every_operation_opens_within_375_pixels_and_without_errors", async () => {
  const opened = await open(browser, service.url, { path: "/docs", viewport: NARROW });
  const { page } = opened;
  const blocks = page.locator(".opblock .opblock-summary-control");
  await blocks.first().waitFor();
  for (const block of await blocks.all()) await block.click();
  assert.equal(await page.locator(".opblock.is-open").count(), await blocks.count());
  assert.equal(await width(page), NARROW.width);
  await page.getByRole("link", { name: "Generate passwords" }).click();
  await page.waitForURL(`${service.url}/**`);
  await page.waitForSelector("#tab-password");
  await opened.close();
});

test("reference_names_the_product_and_follows_the_colour_scheme", async () => {
  const opened = await open(browser, service.url, { path: "/docs", colorScheme: "light" });
  const { page } = opened;
  assert.match(await page.locator("body > header").textContent(), /Passloom/);
  await page.locator(".opblock .opblock-summary-control").first().click();
  const light = (selector) => page.locator(selector).first().evaluate((one) => {
    const context = document.createElement("canvas").getContext("2d");
    for (let each = one; each; each = each.parentElement) {
      context.fillStyle = getComputedStyle(each).backgroundColor;
      context.fillRect(0, 0, 1, 1);
      const [red, green, blue, alpha] = context.getImageData(0, 0, 1, 1).data;
      if (alpha === 255) return (red + green + blue) / 3 > 128;
    }
    return true;
  });
  const places = ["body", ".swagger-ui .info", ".opblock.is-open .opblock-section-header", ".opblock.is-open select", ".opblock.is-open textarea, .opblock.is-open input"];
  await page.getByRole("button", { name: "Try it out" }).click();
  for (const scheme of ["light", "dark", "light"]) {
    await page.emulateMedia({ colorScheme: scheme });
    for (const place of places) assert.equal(await light(place), scheme === "light", `${place}, ${scheme}`);
  }
  await opened.close();
});

test("booleans_are_offered_as_true_and_false", async () => {
  const opened = await open(browser, service.url, { path: "/docs" });
  const { page } = opened;
  const document = await (await page.request.get(`${service.url}/openapi.json`)).json();
  for (const [path, id] of [["/api/generate", "generate"], ["/api/policy", "describePolicy"], ["/api/passphrase", "passphrase"]]) {
    const block = page.locator(`[id$="-${id}"].opblock`);
    await block.locator(".opblock-summary-control").first().click();
    await block.getByRole("button", { name: "Try it out" }).click();
    const described = document.paths[path].get.parameters.map((one) => (one.$ref ? document.components.parameters[one.$ref.split("/").pop()] : one));
    const booleans = described.filter(({ schema }) => [schema.type].flat().includes("boolean"));
    assert.ok(booleans.length >= 2);
    for (const { name } of booleans) {
      const options = await block.locator(`tr[data-param-name="${name}"] select option`).allTextContents();
      assert.deepEqual(options.filter((one) => one !== "--"), ["true", "false"], name);
    }
  }
  await opened.close();
});

/** What docs/api.md lists. */
const KNOWN = ["color-contrast", "nested-interactive", "select-name", "target-size"];

for (const colorScheme of ["light", "dark"]) {
  test(`axe_finds_in_swagger_ui_only_what_the_documents_list_${colorScheme}`, async () => {
    const opened = await open(browser, service.url, { path: "/docs", colorScheme });
    const { page } = opened;
    const blocks = page.locator(".opblock .opblock-summary-control");
    await blocks.first().click();
    await page.getByRole("button", { name: "Try it out" }).click();
    await page.evaluate(await readFile(AXE, "utf8"));
    const found = await page.evaluate(async () => {
      const { violations } = await window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] });
      return violations.map(({ id, nodes }) => [id, nodes.every((node) => document.querySelector(node.target[0]).closest("#reference"))]);
    });
    assert.deepEqual(found, KNOWN.map((id) => [id, true]));
    const document = await readFile(new URL("../../docs/api.md", import.meta.url), "utf8");
    for (const id of KNOWN) assert.ok(document.includes(`\`${id}\``), id);
    await opened.close();
  });
}

test("reference_loads_from_this_service_alone", async () => {
  const opened = await open(browser, service.url, { path: "/docs" });
  const requests = [];
  opened.page.on("request", (request) => requests.push(request.url()));
  await opened.page.reload();
  await opened.page.waitForSelector("html[data-ready]");
  assert.ok(requests.length >= 3);
  for (const url of requests) assert.ok(url.startsWith(service.url) || url.startsWith("data:"), url);
  await opened.close();
});
