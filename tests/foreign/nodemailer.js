// nodemailer: sends one mail and tells what the server said, or with which code it refused.
'use strict';

const nodemailer = require('nodemailer');

const asked = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const transport = nodemailer.createTransport({
  host: 'localhost',
  port: asked.port,
  secure: asked.security === 'tls',
  requireTLS: asked.security === 'starttls',
  ignoreTLS: asked.security === 'none',
  auth: asked.user ? { user: asked.user, pass: asked.password } : undefined,
  tls: asked.certificate ? { ca: [asked.certificate] } : undefined,
  connectionTimeout: 30000,
});
transport.sendMail(asked.mail)
  .then((info) => ({ accepted: info.accepted, response: info.response }))
  .catch((error) => ({ code: error.responseCode || 0, command: error.command || '', kind: error.code || '' }))
  .then((told) => console.log(JSON.stringify(told)));
