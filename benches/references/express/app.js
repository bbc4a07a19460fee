// The service of many a tutorial: Express, a rate limit in the memory of each process, and passwords
// from a secure generator.
'use strict';

const express = require('express');
const { rateLimit } = require('express-rate-limit');
const serverless = require('serverless-http');
const generate = require('./generate.js');

const app = express();
app.set('trust proxy', 1);
// More than a run asks for, so that every request is admitted.
app.use(rateLimit({ windowMs: 60_000, limit: 1_000_000, standardHeaders: 'draft-8', legacyHeaders: false }));

app.get('/api/generate', generate);

exports.handler = serverless(app);
