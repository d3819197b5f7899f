// However a connection ends, its service hears of it (RFC 7009), also when it is away at first, and
// from one worker only.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { olderRedemption } from './support/aging.mjs';
import { Browser, postForm } from './support/browser.mjs';
import { api, choose, connect, post, register, startFlow, submit, tokenParameters } from './support/journey.mjs';
import { root, sleep, startServer } from './support/server.mjs';
import { makeAuthority, signIn, startProvider } from './support/upstreams.mjs';

let server;
let client;
let provider;

before(async () => {
  const authority = makeAuthority();
  provider = await startProvider({ authority });
  server = await startServer({ workers: 4, env: { CONSENTGATE_SERVICE_CA: authority.ca, CONSENTGATE_AUTHORIZATIONS_PER_MINUTE: '0', CONSENTGATE_REFRESH_GRACE_SECONDS: '0' } });
  await server.admin('service', 'add', 'notion', '--url', provider.mcpUrl);
  client = await register(server, { grant_types: ['authorization_code', 'refresh_token'] });
}, { timeout: 240000 });
after(async () => {
  await server?.stop();
  await provider?.stop();
}, { timeout: 120000 });

// A flow with an account connected, and the access token that the provider gave for it.
async function connected(identity = { skip: true }) {
  const flow = await startFlow(server, { client, browser: new Browser(server.base, server.issuer) });
  await choose(flow, identity);
  assert.equal((await connect(server, flow, 'notion', (address) => signIn(provider, address, 'anna'))).status, 302);
  const upstream = provider.issued.at(-1);
  assert.equal(await provider.whoIs(upstream), 'anna');
  return { ...flow, upstream };
}

const redeem = (flow) => postForm(server.base, `${api}/token`, tokenParameters(flow, flow.code));

// Signed in. Adds the code and what it was redeemed for.
async function finished(identity) {
  const flow = await connected(identity);
  flow.code = (await submit(flow)).sent().get('code');
  const answer = await redeem(flow);
  assert.equal(answer.status, 200, answer.text);
  return { ...flow, tokens: answer.json() };
}

const sessionOf = (flow) => server.sql(`SELECT id FROM session WHERE flow_id = '${flow.flowId}'`)[0].id;
const waiting = () => server.sql('SELECT count(*) AS n FROM upstream_token WHERE ended_at IS NOT NULL')[0].n;

async function hears(upstream, what) {
  for (let tried = 0; tried < 150 && (await provider.whoIs(upstream) || waiting() > 0); tried += 1) await sleep(200);
  assert.equal(await provider.whoIs(upstream), undefined, `${what}: the token is still good at the service`);
  assert.equal(waiting(), 0, what);
}

// Ways to end a connection, by their names.
const endings = {
  'a code that is used again later': async () => {
    const flow = await finished();
    server.sql(olderRedemption(flow));
    assert.equal((await redeem(flow)).status, 400);
    return flow;
  },
  'a refresh token that is used twice': async () => {
    const flow = await finished();
    const form = { grant_type: 'refresh_token', client_id: client.client_id, refresh_token: flow.tokens.refresh_token };
    assert.equal((await postForm(server.base, `${api}/token`, form)).status, 200);
    await sleep(1100);
    assert.equal((await postForm(server.base, `${api}/token`, form)).status, 400);
    return flow;
  },
  'the client\'s revocation': async () => {
    const flow = await finished();
    assert.equal((await postForm(server.base, `${api}/revoke`, { client_id: client.client_id, token: flow.tokens.refresh_token })).status, 200);
    return flow;
  },
  'the operator\'s revocation': async () => { const flow = await finished(); await server.admin('session', 'revoke', sessionOf(flow)); return flow; },
  'the operator\'s revocation of a client\'s sessions': async () => { const flow = await finished(); await server.admin('session', 'revoke', '--client', client.client_id, '--yes'); return flow; },
  'the operator\'s revocation of a virtual key\'s sessions and accounts': async () => {
    const { id, virtual_key: key } = await server.addKey('Anna', '--service', 'notion');
    const flow = await finished({ virtualKey: key });
    await server.admin('session', 'revoke', '--key', id, '--with-accounts', '--yes');
    return flow;
  },
  'the end of all sessions of a browser': async () => { const flow = await finished(); assert.equal((await flow.browser.post('/oauth/sessions/end', {})).status, 302); return flow; },
  'a session that has expired': async () => {
    const flow = await finished();
    server.sql(`UPDATE session SET expires_at = 1 WHERE id = '${sessionOf(flow)}'`);
    await server.admin('sweep');
    return flow;
  },
  'the disabling of a virtual key': async () => {
    const { id, virtual_key: key } = await server.addKey('Anna', '--service', 'notion');
    const flow = await finished({ virtualKey: key });
    await server.admin('key', 'disable', id, '--yes');
    return flow;
  },
  'a virtual key that has expired': async () => {
    const { id, virtual_key: key } = await server.addKey('Anna', '--service', 'notion', '--expires-days', '1');
    const flow = await finished({ virtualKey: key });
    server.sql(`UPDATE virtual_key SET expires_at = 1 WHERE id = '${id}'`);
    await server.admin('sweep');
    return flow;
  },
  'a flow that is denied': async () => { const flow = await connected(); await post(flow, 'deny'); return flow; },
  'a flow that has expired': async () => {
    const flow = await connected();
    server.sql(`UPDATE flow SET expires_at = 1 WHERE id = '${flow.flowId}'`);
    await server.admin('sweep');
    return flow;
  },
};

for (const [what, end] of Object.entries(endings)) {
  test(`S10: after ${what} the service has revoked the token`, { timeout: 60000 }, async () => {
    const before = provider.calls.revocation;
    await hears((await end()).upstream, what);
    assert.equal(provider.calls.revocation, before + 2); // the refresh token and the access token, once
  });
}

test('S10: what belongs to a virtual key stays when a session of it ends', { timeout: 60000 }, async () => {
  const { virtual_key: key } = await server.addKey('Anna', '--service', 'notion');
  const flow = await finished({ virtualKey: key });
  await server.admin('session', 'revoke', sessionOf(flow));
  await sleep(7000); // longer than it takes the workers to look
  assert.equal(await provider.whoIs(flow.upstream), 'anna');
  assert.equal(waiting(), 0);
});

test('S10: tokens at a service that is away are revoked when it is back, by one worker', { timeout: 120000 }, async () => {
  const flow = await finished();
  const before = provider.calls.revocation;
  provider.away = true;
  await server.admin('session', 'revoke', sessionOf(flow));
  for (let tried = 0; tried < 100 && !/event=upstream_revocation_failed /.test(server.logs()); tried += 1) await sleep(200);
  assert.match(server.logs(), /event=upstream_revocation_failed .*retry=yes/);
  assert.equal(waiting(), 1);
  assert.equal(await provider.whoIs(flow.upstream), 'anna');
  provider.away = false;
  server.sql('UPDATE upstream_token SET retry_at = 1 WHERE ended_at IS NOT NULL'); // instead of waiting for half a minute
  await hears(flow.upstream, 'back again');
  assert.equal(provider.calls.revocation, before + 2);
});

// Runs the command and returns its output and exit status; never throws.
const remove = (...words) => new Promise((done) => {
  execFile(path.resolve(root, process.env.BUILD || 'build/asan', 'consentgate-admin'), ['service', 'remove', 'notion', '--yes', ...words], { cwd: server.var, env: server.environment() },
    (error, stdout, stderr) => done({ code: error ? error.code : 0, stdout, stderr }));
});
const add = () => server.admin('service', 'add', 'notion', '--url', provider.mcpUrl);

test('S10: the tokens of all people at a service are revoked before it is removed', { timeout: 60000 }, async () => {
  const flows = [await finished(), await finished(), await connected()];
  const [{ n: all }] = server.sql('SELECT count(*) AS n FROM upstream_token');
  const removed = await remove();
  assert.equal(removed.code, 0, removed.stderr);
  assert.match(removed.stderr, /^Removed\.$/m);
  for (const { upstream } of flows) assert.equal(await provider.whoIs(upstream), undefined);
  const revoked = Number(/revoked (\d+) of/.exec(removed.stderr)?.[1] ?? 0); // a worker may have been at some
  const others = Number(/server revoked (\d+)/.exec(removed.stderr)?.[1] ?? 0);
  assert.equal(revoked + others, all, removed.stderr);
  assert.equal(server.sql("SELECT count(*) AS n FROM upstream_token WHERE service_id = 'notion'")[0].n, 0);
  await add();
});

test('S10: a service that is away is not removed before its tokens are revoked, unless the operator says so', { timeout: 120000 }, async () => {
  const flow = await finished();
  provider.away = true;
  const refused = await remove();
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /; 1 could not be revoked yet: [^]*--without-revocation/);
  assert.equal((await server.admin('service', 'show', 'notion', '--json')).active, false);
  assert.equal(waiting(), 1);
  provider.away = false;
  const removed = await remove();
  assert.equal(removed.code, 0, removed.stderr);
  assert.equal(await provider.whoIs(flow.upstream), undefined);
  await add();

  const other = await finished();
  provider.away = true;
  const left = await remove('--without-revocation');
  assert.equal(left.code, 0, left.stderr);
  assert.match(left.stderr, /Not revoked there: 1 \(--without-revocation\)\. People can end them in their settings there\./);
  provider.away = false;
  assert.equal(await provider.whoIs(other.upstream), 'anna');
  await add();
});
