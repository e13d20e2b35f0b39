// imapflow: waits at a mailbox until it holds so many mails, reads those that are not seen, and marks them afterwards.
'use strict';

const { ImapFlow } = require('imapflow');

const asked = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const client = new ImapFlow({
  host: 'localhost',
  port: asked.port,
  secure: Boolean(asked.certificate),
  doSTARTTLS: false,
  tls: asked.certificate ? { ca: [asked.certificate] } : undefined,
  auth: { user: asked.user, pass: asked.password },
  logger: false,
});

async function main() {
  await client.connect();
  const lock = await client.getMailboxLock('INBOX');
  while (client.mailbox.exists < asked.count) {
    await new Promise((resolve) => { client.once('exists', resolve); client.idle().catch(() => {}); });
  }
  const mails = [];
  for await (const one of client.fetch({ seen: false }, { uid: true, flags: true, source: true })) {
    mails.push({ uid: one.uid, flags: [...one.flags], source: one.source.toString('latin1') });
  }
  await client.messageFlagsAdd({ uid: mails.map((one) => one.uid).join(',') }, ['\\Seen']);
  console.log(JSON.stringify({ validity: String(client.mailbox.uidValidity), mails }));
  lock.release();
  await client.logout();
}

main().catch((error) => { console.error(error); process.exit(1); });
