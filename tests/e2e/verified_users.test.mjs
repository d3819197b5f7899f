// People whom the web server signs in, behind each of them, as its files are shipped: whose name
// counts, and that nobody can claim one.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Browser, postForm, query, send } from './support/browser.mjs';
import { assertPage } from './support/checks.mjs';
import { fronts, startFront } from './support/fronts.mjs';
import { api, authorizeParameters, https, pkce, post, redeem, register, submit } from './support/journey.mjs';
import { startServerBehind } from './support/mcp_behind.mjs';

const options = { timeout: 240000 };
const verified = { CONSENTGATE_VERIFIED_USER: 'remote_user', CONSENTGATE_REMEMBER_CONSENT: 'https' };
const users = ['anna', 'ben'].map((name) => execFileSync('htpasswd', ['-nbm', name, `${name}'s password`], { encoding: 'utf8' }).trim()).join('\n') + '\n';
const basic = (name, password = `${name}'s password`) => `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
// Every way to write the name into a header of one's own.
const forged = Object.fromEntries(['Remote-User', 'REMOTE_USER', 'Remote_User', 'X-Remote-User', 'Http-Remote-User', 'Redirect-Remote-User', 'Consentgate-User'].map((name) => [name, 'anna']));
const forPeople = ['/oauth/consent', '/oauth/consent/mcps', '/oauth/consent/remembered', '/oauth/consent/done', '/oauth/sessions', '/api/oauth/callback', `${api}/authorize`, `${api}/upstream/authorize`];
const formsForPeople = ['submit', 'deny', 'resource', 'vk', 'user-id', 'skip', 'client', 'reuse'].map((step) => `${api}/consent/${step}`).concat(`${api}/upstream/connect`, '/oauth/sessions/end', '/oauth/sessions/disconnect');

// A browser in which somebody is signed in, until somebody else is.
class Person extends Browser {
  constructor(server, name) { super(server.base, server.issuer); this.name = name; }

  headers(more) { return super.headers({ ...(this.name ? { Authorization: basic(this.name) } : {}), ...more }); }

  // The same browser, cookies and all, with somebody else signed in.
  with(name) { return Object.assign(new Person({ base: this.base, issuer: this.origin }, name), { cookies: this.cookies, seenSecrets: this.seenSecrets }); }
}

async function begin(server, browser, client, more = {}, headers = {}) {
  const proof = pkce();
  const parameters = authorizeParameters(server, client, proof, more);
  const answer = await browser.get(query(`${api}/authorize`, parameters), headers);
  return { answer, parameters, proof, client, browser, flowId: /^\/oauth\/consent\/mcps\?flow_id=([A-Za-z0-9_-]{22})$/.exec(answer.location ?? '')?.[1] };
}

// The person opened the address themselves: one button is enough where they consented before.
// out: where the button leads; undefined when they are asked everything
async function goOn(server, browser, client) {
  const { answer } = await begin(server, browser, client, {}, { 'Sec-Fetch-Site': 'none' });
  const [, flowId] = /^\/oauth\/consent\/remembered\?flow_id=([A-Za-z0-9_-]{22})$/.exec(answer.location ?? '') ?? [];
  if (!flowId) return undefined;
  const page = await browser.get(answer.location);
  assertPage(page, 200);
  assert.match(page.text, new RegExp(`<bdi>${browser.name}</bdi>`));
  return (await browser.post(`${api}/consent/reuse`, { flow_id: flowId })).location;
}

async function signIn(server, browser, client, more) {
  const flow = await begin(server, browser, client, more);
  assert.ok(flow.flowId, `${flow.answer.status} ${flow.answer.location} ${flow.answer.text}`);
  const page = await browser.get(`/oauth/consent/mcps?flow_id=${flow.flowId}`);
  assertPage(page, 200);
  assert.match(page.text, new RegExp(`<bdi>${browser.name}</bdi>`));
  const submitted = await submit(flow);
  assert.equal(submitted.status, 302, submitted.text);
  return { ...flow, submitted, code: submitted.sent().get('code') };
}

const admin = (server) => server.admin('doctor', '--json').catch((error) => JSON.parse(error.stdout));
const broken = async (server) => (await admin(server)).filter(({ verdict }) => verdict === 'broken');

let behind;
before(async () => { behind = await startServerBehind(); }, options);
after(async () => { await behind?.stop(); }, options);
const guards = () => [{ at: '/mcp', port: behind.port }];

for (const front of fronts) {
  let server;
  let client;

  test(`S8 behind ${front.name}: who is signed in is not asked who they are, and lets an app in`, options, async () => {
    server = await startFront(front, { guards: guards(), env: verified, users });
    client = await register(server, { redirect_uris: [https] }); // a program, which nobody signs in
    for (const name of ['anna', 'ben']) {
      const flow = await signIn(server, new Person(server, name), client);
      const answer = await redeem(server, flow, flow.code);
      assert.equal(answer.status, 200, answer.text);
      const called = await send(server.base, 'POST', '/mcp', { headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${answer.json().access_token}` }, body: '{}' });
      assert.equal(called.status, 200, called.text);
    }
    const sessions = server.sql("SELECT identity_kind AS kind, CAST(identity_value AS TEXT) AS name FROM session ORDER BY name");
    assert.deepEqual(sessions.map(({ kind, name }) => `${kind} ${name}`), ['verified_user anna', 'verified_user ben']);
    assert.equal((await send(server.base, 'GET', '/.well-known/oauth-protected-resource/mcp')).status, 200);
    assert.equal((await send(server.base, 'GET', '/oauth/client-metadata.json')).status, 200);
    assert.equal((await postForm(server.base, `${api}/introspect`, { token: 'x' })).status, 401);
    assert.match((await postForm(server.base, `${api}/introspect`, { token: 'x' })).text, /invalid_client/);
  });

  test(`K51 behind ${front.name}: another user in the same browser cannot go on, and the first one can, back and again`, options, async () => {
    const anna = new Person(server, 'anna');
    const flow = await begin(server, anna, client);
    const ben = anna.with('ben');
    const page = `/oauth/consent/mcps?flow_id=${flow.flowId}`;
    const refused = (answer) => { assertPage(answer, 403); assert.match(answer.text, /begun by somebody else/); };
    refused(await ben.get(page));
    refused(await ben.get(`/oauth/consent?flow_id=${flow.flowId}`));
    refused(await ben.get(`${api}/upstream/authorize?mcp_client_id=notion&flow_id=${flow.flowId}`));
    for (const step of ['submit', 'deny', 'skip']) refused(await post({ ...flow, browser: ben }, step));
    assert.equal((await anna.get(`/oauth/consent?flow_id=${flow.flowId}`)).location, page); // back to a page that is none of hers
    assertPage(await anna.get(page), 200);
    const code = (await submit(flow)).sent().get('code');
    assertPage(await anna.get(page), 409); // back after Allow
    const again = await submit(flow);
    assert.ok(again.text.includes(code), 'Allow once more leads on');
    assert.ok(!(await submit({ ...flow, browser: ben })).text.includes(code), 'but nobody else');
    assert.equal((await redeem(server, flow, code)).status, 200);
  });

  test(`U12 K51 U7 behind ${front.name}: the sessions page is the user's own, and so is what is remembered`, options, async () => {
    const anna = new Person(server, 'anna');
    const ben = anna.with('ben');
    await signIn(server, anna, client);
    await signIn(server, ben, client);
    const page = await anna.get('/oauth/sessions');
    assertPage(page, 200);
    assert.match(page.text, /As anna/);
    assert.doesNotMatch(page.text, /As ben/);
    assert.match((await ben.get('/oauth/sessions')).text, /As ben/);
    assert.match(await goOn(server, anna, client), /[?&]code=/);
    assert.equal((await ben.post('/oauth/sessions/end', {})).status, 302);
    assert.equal(await goOn(server, ben, client), undefined, 'ben is asked again');
    assert.match(await goOn(server, anna, client), /[?&]code=/);
  });

  test(`S8 behind ${front.name}: nobody comes in without a password, whatever they send`, options, async () => {
    for (const headers of [{}, forged, { Authorization: basic('anna', 'wrong'), ...forged }, { Authorization: 'Bearer anna', ...forged }]) {
      for (const target of forPeople) assert.equal((await send(server.base, 'GET', target, { headers })).status, 401, target);
    }
    for (const target of formsForPeople) assert.equal((await postForm(server.base, target, 'flow_id=x', forged)).status, 401, target);
    // With a password one is oneself, whatever else one claims.
    const ben = new Person(server, 'ben');
    const flow = await begin(server, ben, client);
    const page = await ben.get(`/oauth/consent/mcps?flow_id=${flow.flowId}`, forged);
    assert.match(page.text, /<bdi>ben<\/bdi>/);
    assert.deepEqual(await broken(server), []);
    await server.stop();
    server = undefined;
  });

  test(`S8 behind ${front.name}: where the web server asks nobody, nobody comes in, and the log says why`, options, async () => {
    server = await startFront(front, { guards: guards(), env: verified });
    client = await register(server, { redirect_uris: [https] });
    for (const headers of [{}, forged, { Authorization: basic('anna'), ...forged }]) {
      const flow = await begin(server, Object.assign(new Person(server), { headers: (more) => ({ Accept: 'text/html', ...headers, ...more }) }), client);
      assertPage(flow.answer, 403);
      assert.match(flow.answer.text, /You are not signed in here/);
      for (const target of forPeople) assert.equal((await send(server.base, 'GET', target, { headers })).status, 403, target);
      for (const target of formsForPeople) assert.equal((await postForm(server.base, target, 'flow_id=x', headers)).status, 403, target);
    }
    const [finding] = await broken(server);
    assert.match(finding.finding, /the web server signs nobody in there/);
    assert.match(finding.fix, { nginx: /include consentgate\/verified_users\.conf;/, lighttpd: /lighttpd\/verified_users\.conf/ }[front.name] ?? /Use ConsentgateVerifiedUsers/);
    assert.equal(server.sql('SELECT count(*) AS flows FROM flow')[0].flows, 0);
    const log = front.socket === 'none' ? fs.readFileSync(`${server.var}/front.log`, 'utf8') : server.logs();
    assert.match(log, /error=verified_user_missing reason=.*REMOTE_USER/);
  });

  test(`${front.name} stops cleanly`, options, async () => { await server?.stop(); });
}

const nginx = fronts.find(({ name }) => name === 'nginx');
// nginx with its lines for verified users spoilt by hand.
function spoilt(from, to) {
  return { ...nginx, write(folder, ...rest) {
    nginx.write(folder, ...rest);
    const file = path.join(folder, 'consentgate/people.conf');
    const text = fs.readFileSync(file, 'utf8');
    assert.match(text, from);
    fs.writeFileSync(file, text.replace(from, to));
  } };
}

test('S8: the doctor finds that nginx takes anybody\'s word for who they are', options, async () => {
  const server = await startFront(spoilt(/^ *auth_basic.*\n *auth_basic_user_file.*\n/m, ''), { guards: guards(), env: verified, users });
  try {
    const finding = (await broken(server)).find((one) => /ANYONE can be any user/.test(one.finding));
    assert.match(finding.fix, /auth_basic, which proves the name/);
  } finally { await server.stop(); }
});

test('S8: the name that a gate of ours gave to a request is no verified user\'s', options, async () => {
  const server = await startFront(spoilt(/^ *fastcgi_param REMOTE_USER.*\n/m, (line) => `${line}    fastcgi_param CONSENTGATE_SUBJECT anna;\n`), { guards: guards(), env: verified, users });
  try {
    assertPage(await new Person(server, 'anna').get('/oauth/sessions'), 403);
    assert.match(server.logs(), /error=verified_user_missing/);
  } finally { await server.stop(); }
});
