// What a team would build with Express: API keys by their SHA-256, a limit for each key in DynamoDB by
// rate-limiter-flexible, passwords from a secure generator, and an audit line without the password.
'use strict';

const crypto = require('node:crypto');
const { DynamoDB } = require('@aws-sdk/client-dynamodb');
const express = require('express');
const { RateLimiterDynamo } = require('rate-limiter-flexible');
const serverless = require('serverless-http');
const generate = require('./generate.js');

const expected = Buffer.from(process.env.API_KEY_SHA256, 'hex');
const limiter = new RateLimiterDynamo({
  storeClient: new DynamoDB({}),
  tableName: process.env.LIMITS_TABLE,
  tableCreated: true,
  ttlSet: true,
  points: Number.parseInt(process.env.PER_MINUTE, 10),
  duration: 60,
});

const app = express();
app.set('trust proxy', 1);

app.use((request, response, next) => {
  response.on('finish', () => {
    const line = { time: new Date().toISOString(), path: request.path, source_ip: request.ip, status: response.statusCode };
    console.log(JSON.stringify(line));
  });
  next();
});

app.use(async (request, response, next) => {
  const hash = crypto.createHash('sha256').update(request.get('x-api-key') ?? '').digest();
  if (!crypto.timingSafeEqual(hash, expected)) {
    return response.status(401).json({ error: 'unknown API key' });
  }
  try {
    const state = await limiter.consume(hash.toString('hex'));
    response.set('RateLimit-Remaining', String(state.remainingPoints));
  } catch (refusal) {
    if (refusal instanceof Error) {
      return response.status(503).json({ error: 'the request could not be counted' });
    }
    response.set('Retry-After', String(Math.ceil(refusal.msBeforeNext / 1000)));
    return response.status(429).json({ error: 'too many requests' });
  }
  return next();
});

app.get('/api/generate', generate);

exports.handler = serverless(app);
