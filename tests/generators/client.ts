// Calls the service with openapi-fetch and the types of openapi-typescript, and prints what the answers have.

import createClient from "openapi-fetch";
import type { paths } from "./passloom";

declare const process: { env: Record<string, string> };

const client = (key: string) => createClient<paths>({ baseUrl: process.env.URL, headers: { "X-Api-Key": key } });
const api = client(process.env.KEY);
const limited = client(process.env.LIMITED);

/** What an answer with 200 has in its JSON; a text is the answer only if `Accept` asks for it. */
function data<T>(answer: { data?: T; error?: unknown }): Exclude<T, string> {
  if (answer.data === undefined || typeof answer.data === "string") throw new Error(JSON.stringify(answer.error));
  return answer.data as Exclude<T, string>;
}

const generate = (query: paths["/api/generate"]["get"]["parameters"]["query"]) =>
  api.GET("/api/generate", { params: { query } });

const one = data(await generate({ length: 20, special: true }));
const several = data(await generate({ count: 3 }));
const sets = data(await api.POST("/api/generate", { body: { charsets: [{ characters: "ab", min: 2 }], length: 9 } }));
const passphrase = data(await api.GET("/api/passphrase", { params: { query: { words: 4 } } }));
const policy = data(await api.GET("/api/policy"));
const verdict = data(await api.POST("/api/validate", { body: { password: "P@ssw0rd", policy: "nist-800-63b" } }));
const { presets } = data(await api.GET("/api/presets"));
const { policies } = data(await api.GET("/api/policies"));
const named = data(await api.GET("/api/policies/{name}", { params: { path: { name: "cis" } } }));
const key = data(await api.GET("/api/key"));
// The name of a stored policy is not one of the document's.
const invalid = await generate({ policy: "team-database" });
const unauthorized = await client("wrong").GET("/api/generate");
for (let request = 0; request < 3; request += 1) await limited.GET("/api/generate");
const refused = await limited.GET("/api/generate");

const [violation] = verdict.violations;
console.log(JSON.stringify({
  one: "password" in one && one.password.length,
  several: "passwords" in several && new Set(several.passwords).size,
  sets: "charsets" in sets.policy && sets.policy.charsets[0]?.min,
  passphrase: passphrase.words,
  policy: typeof policy.combinations,
  violation: [violation?.constraint, violation?.min, violation?.max],
  preset: [presets[0]?.name, presets[0]?.kind],
  policies: policies.length,
  named: named.kind,
  key: key.remaining.per_minute < key.limits.per_minute,
  invalid: [invalid.error?.status, invalid.error?.parameter],
  unauthorized: unauthorized.error?.status,
  limited: refused.error?.type,
}));
