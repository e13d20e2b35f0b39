// wechat-crypto: seals and opens messages as the platform's Node developers do.
'use strict';

const Crypto = require('wechat-crypto');

const asked = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const crypto = new Crypto(asked.token, asked.key, asked.appid);
const answers = {
  seal() {
    const sealed = crypto.encrypt(asked.message);
    return { sealed, signature: crypto.getSignature(asked.timestamp, asked.nonce, sealed) };
  },
  open() {
    const opened = crypto.decrypt(asked.sealed);
    const signature = crypto.getSignature(asked.timestamp, asked.nonce, asked.sealed);
    return { message: opened.message, appid: opened.id, signature };
  },
};
console.log(JSON.stringify(answers[asked.do]()));
