// The generator of both services with Express.
'use strict';

const crypto = require('node:crypto');

const CLASSES = {
  lowercase: 'abcdefghijklmnopqrstuvwxyz',
  uppercase: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
  digits: '0123456789',
  special: '!@#$%^&*()_+-=[]{}|;:,.<>?',
};

module.exports = (request, response) => {
  const length = Number.parseInt(request.query.length ?? '16', 10);
  if (!(length >= 4 && length <= 256)) {
    return response.status(400).json({ error: 'length must be 4 to 256' });
  }
  const asked = (name, otherwise) => (request.query[name] ?? otherwise) === 'true';
  const excluded = new Set(request.query.exclude ?? '');
  const characters = Object.entries(CLASSES)
    .filter(([name]) => asked(name, name === 'special' ? 'false' : 'true'))
    .flatMap(([, all]) => [...all])
    .filter((character) => !excluded.has(character));
  if (characters.length === 0) {
    return response.status(400).json({ error: 'no characters left' });
  }
  const password = Array.from({ length }, () => characters[crypto.randomInt(characters.length)]).join('');
  return response.json({ password, length });
};
