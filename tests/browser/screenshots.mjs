// Writes the screenshots of the documents to the folder that is named: node screenshots.mjs FOLDER

import { generate, key, open, startBrowser, startService } from "./support.mjs";

const [folder] = process.argv.slice(2);
const browser = await startBrowser();
const service = await startService();

async function generator(name, options) {
  const session = await open(browser, service.url, { reducedMotion: "reduce", ...options });
  await key(session.page, service.key);
  await session.page.locator("#password-length").fill("24");
  for (const name of ["special", "exclude_similar"]) await session.page.locator(`#password-${name}`).check();
  await generate(session.page);
  await session.page.locator(".secret").waitFor();
  await session.page.locator("#key-line", { hasText: "Key “" }).waitFor();
  await session.page.evaluate(() => { document.activeElement.blur(); scrollTo(0, 0); });
  await session.page.screenshot({ path: `${folder}/${name}.png` });
  await session.close();
}

await generator("page-light", { viewport: { width: 1180, height: 900 }, colorScheme: "light" });
await generator("page-dark", { viewport: { width: 1180, height: 900 }, colorScheme: "dark" });
await generator("page-narrow", { viewport: { width: 320, height: 900 }, colorScheme: "light" });
const reference = await open(browser, service.url, { path: "/docs", viewport: { width: 1180, height: 900 } });
await reference.page.locator(".opblock").first().waitFor();
await reference.page.screenshot({ path: `${folder}/reference.png` });
await reference.close();
await browser.close();
await service.stop();
