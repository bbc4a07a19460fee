// GetRandomPassword with the AWS SDK for JavaScript: prints the password, or the name of the error.
// usage: node javascript.mjs <folder of node_modules> <JSON of the members>

import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.argv[2], "package.json"));
const { GetRandomPasswordCommand, SecretsManagerClient } = require("@aws-sdk/client-secrets-manager");

// The endpoint, the region and the credentials are in the environment.
const client = new SecretsManagerClient({ maxAttempts: 1 });
try {
  const { RandomPassword } = await client.send(new GetRandomPasswordCommand(JSON.parse(process.argv[3])));
  console.log(JSON.stringify({ password: RandomPassword }));
} catch (error) {
  console.log(JSON.stringify({ error: error.name, message: error.message }));
}
