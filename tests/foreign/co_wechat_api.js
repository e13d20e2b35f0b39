// co-wechat-api: one run of an official account's client; each step's answer, or its errcode.
'use strict';

const API = require('co-wechat-api');

const asked = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const api = new API(asked.appid, asked.secret);
api.prefix = `${asked.base}/cgi-bin/`;

async function main() {
  const answers = [];
  for (const [method, ...values] of asked.steps) {
    try {
      answers.push(await api[method](...values));
    } catch (error) {
      answers.push({ errcode: error.code, errmsg: error.message });
    }
  }
  console.log(JSON.stringify(answers));
}
main();
