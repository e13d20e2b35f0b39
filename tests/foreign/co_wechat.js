// co-wechat on koa: an official account's server that answers a text with what it heard. The answer's timestamp
// is in milliseconds, as in that library.
'use strict';

const Koa = require('koa');
const wechat = require('co-wechat');

const asked = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const config = { token: asked.token, appid: asked.appid, encodingAESKey: asked.key };
const app = new Koa();
app.silent = true;
app.use(wechat(config).middleware(async (message) => {
  if (message.MsgType === 'event') {
    return `${message.Event} ${message.EventKey || ''}`.trim();
  }
  return message.Content === '静' ? '' : `听到：${message.Content} ${message.bizmsgmenuid || ''}`.trim();
}));
const server = app.listen(0, '127.0.0.1', () => console.log(JSON.stringify(server.address().port)));
