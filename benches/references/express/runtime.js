// Polls the Runtime API and answers, with nothing but Node's own client. The runtime client that AWS
// publishes for Node compiles native code when it is installed; this one starts sooner, if anything.
'use strict';

const http = require('node:http');

const [hostname, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) };
    const request = http.request({ hostname, port, agent, method, path, headers }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => resolve({ headers: response.headers, body: Buffer.concat(chunks).toString() }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

async function main() {
  const { handler } = require('./app.js');
  for (;;) {
    const event = await call('GET', '/2018-06-01/runtime/invocation/next');
    const id = event.headers['lambda-runtime-aws-request-id'];
    const answer = await handler(JSON.parse(event.body), { awsRequestId: id });
    await call('POST', `/2018-06-01/runtime/invocation/${id}/response`, JSON.stringify(answer));
  }
}

main();
