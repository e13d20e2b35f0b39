// wechat-api, the older client with callbacks: each step's answer, or its errcode.
'use strict';

const API = require('wechat-api');

const asked = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const api = new API(asked.appid, asked.secret);
api.endpoint = asked.base;

function step(rest, answers) {
  if (!rest.length) {
    console.log(JSON.stringify(answers));
    return;
  }
  const [method, ...values] = rest[0];
  api[method](...values, (error, result) => {
    answers.push(error ? { errcode: error.code, errmsg: error.message } : result);
    step(rest.slice(1), answers);
  });
}
step(asked.steps, []);
