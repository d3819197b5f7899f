// Nothing that went over the wire as a secret can be read in the store, its log file, or any log of
// the server.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Browser } from './support/browser.mjs';
import { codeFor, journey, post, redeem, rpc, startFlow, submit } from './support/journey.mjs';
import { startServer } from './support/server.mjs';

let server;
const secrets = new Map(); // what it is -> its text

// Every way in which a secret's text may have been written down.
function spellings(text) {
  const bare = text.replace(/^(cgs_|sk-bf-)/, '');
  const raw = Buffer.from(bare, 'base64url');
  return [Buffer.from(text), Buffer.from(bare), Buffer.from(encodeURIComponent(bare)), raw, Buffer.from(raw.toString('hex')), Buffer.from(raw.toString('hex').toUpperCase()), Buffer.from(raw.toString('base64')), Buffer.from(Buffer.from(text).toString('base64')), Buffer.from(Buffer.from(text).toString('hex'))]
    .filter((bytes) => bytes.length >= 16);
}

before(async () => {
  server = await startServer();
  const key = await server.addKey('laptop');
  const bearerKey = await server.addKey('bearer');
  secrets.set('virtual key', key.virtual_key).set('virtual key sent as bearer', bearerKey.virtual_key);
  const identities = { key: { virtualKey: key.virtual_key }, user: { userId: 'ada' }, skip: { skip: true } };
  for (const [name, identity] of Object.entries(identities)) {
    const done = await journey(server, { identity });
    await rpc(server, done.token, 'tools/list');
    await redeem(server, done, done.code);
    secrets.set(`${name}: token`, done.token).set(`${name}: code`, done.code).set(`${name}: verifier`, done.proof.verifier).set(`${name}: browser secret`, done.browser.cookies.get('consentgate_browser'));
  }
  const flow = await startFlow(server);
  const submitted = await submit(flow, { Authorization: `Bearer ${bearerKey.virtual_key}` });
  secrets.set('unredeemed code', submitted.sent().get('code'));
  await failures(key);
}, { timeout: 240000 });
after(async () => { await server?.stop(); }, { timeout: 120000 });

// Secrets that went with requests which failed: those are the ones that logs like to keep.
async function failures(key) {
  const flow = await startFlow(server);
  const stranger = new Browser(server.base);
  const wrong = `sk-bf-${'wrongkey'.repeat(5)}`;
  await post({ ...flow, browser: stranger }, 'vk', { vk: key.virtual_key });
  await post(flow, 'vk', { vk: wrong });
  await submit(flow, { Authorization: `Bearer ${wrong}` });
  const guess = `cgs_${'guess'.repeat(8)}abc`;
  await rpc(server, guess, 'tools/list');
  const coded = await codeFor(server);
  await redeem(server, coded, coded.code, { code_verifier: 'wrongverifier'.repeat(5) });
  await redeem(server, coded, coded.code, { client_secret: 'mistakenly-sent-client-secret' });
  await redeem(server, coded, 'strangecode'.repeat(4));
  secrets.set('refused virtual key', wrong).set('refused token', guess).set('refused verifier', 'wrongverifier'.repeat(5)).set('refused client secret', 'mistakenly-sent-client-secret').set('refused code', 'strangecode'.repeat(4))
    .set('code of a failed exchange', coded.code).set('browser secret of a failed flow', flow.browser.cookies.get('consentgate_browser'));
}

test('S12 T33 K47: no secret that went over the wire is in the database, its log file or any log', () => {
  const files = server.files().filter((name) => name !== server.keyFile);
  const names = files.map((name) => path.basename(name));
  for (const wanted of ['consentgate.db', 'consentgate.db-wal', 'consentgate.log', 'gate.log', 'mcp.log', 'lighttpd.log']) assert.ok(names.includes(wanted), `${wanted} is not among ${names.join()}`);
  assert.ok(secrets.size >= 20);
  for (const file of files) {
    const bytes = fs.readFileSync(file);
    for (const [what, text] of secrets) {
      for (const spelling of spellings(text)) assert.equal(bytes.indexOf(spelling), -1, `${what} is in ${path.basename(file)} at ${bytes.indexOf(spelling)}`);
    }
  }
  for (const [what, text] of secrets) assert.ok(!server.output.includes(text), `${what} was printed`);
});

test('S12: the store and the log hold the journeys, so there was something to find', () => {
  assert.ok(server.sql('SELECT count(*) AS n FROM session')[0].n >= 5);
  assert.ok(server.sql("SELECT count(*) AS n FROM session WHERE CAST(identity_value AS TEXT) = 'ada'")[0].n === 1);
  const bytes = Buffer.concat(server.files().filter((name) => name.includes('consentgate.db')).map((name) => fs.readFileSync(name)));
  assert.notEqual(bytes.indexOf(Buffer.from('ada')), -1);
  assert.ok(server.logs().split('\n').filter((line) => line.includes('route=oauth_consent_submit')).length >= 5);
});

test('S12: the key file is private, apart from the database, and its content is in no other file', () => {
  assert.equal(fs.statSync(server.keyFile).mode & 0o777, 0o600);
  const words = fs.readFileSync(server.keyFile, 'utf8').split(/[\s=:]+/).filter((word) => word.length >= 32);
  assert.ok(words.length > 0);
  for (const file of server.files().filter((name) => name !== server.keyFile)) {
    const bytes = fs.readFileSync(file);
    for (const word of words) assert.equal(bytes.indexOf(Buffer.from(word)), -1, path.basename(file));
  }
});

test('S12: the session token cannot be made from the database and the code alone', async () => {
  const flow = await codeFor(server);
  const { createHash, createHmac } = await import('node:crypto');
  const { access_token: token } = (await redeem(server, flow, flow.code)).json();
  const secret = token.slice('cgs_'.length);
  const row = server.sql(`SELECT s.id AS session_id, s.token_hash, s.flow_id, k.code_hash, k.key_id FROM session s JOIN code k ON k.session_id = s.id WHERE s.flow_id = '${flow.flowId}'`)[0];
  const known = [...Object.values(row), flow.code, '', flow.client.client_id];
  for (const one of known) {
    for (const other of known) {
      assert.notEqual(createHmac('sha256', one).update(other).digest('base64url'), secret);
      assert.notEqual(createHash('sha256').update(one + other).digest('base64url'), secret);
    }
  }
});
