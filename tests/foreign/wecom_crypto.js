// @wecom/crypto: seals and opens messages as the platform's own library for Node does.
'use strict';

const { decrypt, encrypt, getSignature } = require('@wecom/crypto');

const asked = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const answers = {
  seal() {
    const sealed = encrypt(asked.key, asked.message, asked.receiver);
    return { sealed, signature: getSignature(asked.token, asked.timestamp, asked.nonce, sealed) };
  },
  open() {
    const opened = decrypt(asked.key, asked.sealed);
    const signature = getSignature(asked.token, asked.timestamp, asked.nonce, asked.sealed);
    return { message: opened.message, receiver: opened.id, signature };
  },
};
console.log(JSON.stringify(answers[asked.do]()));
