// Submit with a bearer: raw virtual keys, tokens that name one, administrators' tokens, and
// everything that must not pass for one.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { postForm } from './support/browser.mjs';
import { assertGatewayError } from './support/checks.mjs';
import { api, choose, redeem, startFlow, submit, whoami } from './support/journey.mjs';
import { plainFolder, startServer } from './support/server.mjs';

const folder = plainFolder();
const secret = crypto.randomBytes(48).toString('base64url');
const rsa = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
const curve = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
const strangeRsa = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = (pair) => pair.publicKey.export({ type: 'spki', format: 'pem' });
const now = () => Math.floor(Date.now() / 1000);
const base64 = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
let server;
let key;

const signers = {
  HS256: (text, with_ = secret) => crypto.createHmac('sha256', with_).update(text).digest(),
  RS256: (text, pair = rsa) => crypto.sign('sha256', Buffer.from(text), pair.privateKey),
  ES256: (text, pair = curve) => crypto.sign('sha256', Buffer.from(text), { key: pair.privateKey, dsaEncoding: 'ieee-p1363' }),
};

// A token; `claims` overrides, undefined removes; `header` too.
function jwt(alg, claims = {}, { header = {}, signWith } = {}) {
  const all = { iss: 'https://idp.example.test', aud: 'consentgate', exp: now() + 600, iat: now(), ...claims };
  const text = `${base64({ alg, typ: 'JWT', ...header })}.${base64(all)}`;
  return `${text}.${signers[alg](text, signWith).toString('base64url')}`;
}

const bearer = (token) => ({ Authorization: `Bearer ${token}` });
async function refused(flow, headers) {
  const answer = await submit(flow, { Accept: 'application/json', ...headers });
  assert.equal(answer.status, 401, `${answer.status} for ${headers.Authorization.slice(0, 2000)}`);
  assertGatewayError(answer, 401, 'invalid_bearer');
}

async function identityAfter(flow, answer) {
  assert.equal(answer.status, 302, answer.text);
  const code = answer.sent().get('code');
  assert.ok(code, answer.location);
  return whoami(server, (await redeem(server, flow, code)).json().access_token);
}

before(async () => {
  for (const [name, text] of [['hs', secret], ['rs', pem(rsa)], ['es', pem(curve)]]) fs.writeFileSync(path.join(folder, name), text, { mode: 0o600 });
  server = await startServer({ env: { CONSENTGATE_BEARER_KEYS: `HS256:${folder}/hs RS256:${folder}/rs ES256:${folder}/es`, CONSENTGATE_BEARER_ISSUER: 'https://idp.example.test', CONSENTGATE_BEARER_AUDIENCE: 'consentgate' } });
  key = await server.addKey('laptop');
}, { timeout: 240000 });
after(async () => { fs.rmSync(folder, { recursive: true, force: true }); await server?.stop(); }, { timeout: 120000 });

test('S4: a raw virtual key becomes the identity of a flow that has none', async () => {
  const flow = await startFlow(server);
  const said = await identityAfter(flow, await submit(flow, bearer(key.virtual_key)));
  assert.deepEqual([said.identity_kind, said.identity.includes('laptop')], ['virtual_key', true]);
});

test('S4: a raw virtual key that is the flow\'s own passes, and another is 401', async () => {
  const other = await server.addKey('other');
  const flow = await startFlow(server);
  await choose(flow, { virtualKey: key.virtual_key });
  await refused(flow, bearer(other.virtual_key));
  assert.equal((await submit(flow, bearer(key.virtual_key))).status, 302);
});

test('S4: a virtual key does not pass for a flow that has a user id, which lives on', async () => {
  const flow = await startFlow(server);
  await choose(flow, { userId: 'ada' });
  await refused(flow, bearer(key.virtual_key));
  assert.equal((await identityAfter(flow, await submit(flow))).identity, 'ada');
});

test('S4: a bearer that is sent and bad is 401, never ignored, and the flow lives on', async () => {
  const disabled = await server.addKey('gone');
  await server.admin('key', 'disable', disabled.id, '--yes');
  const flow = await startFlow(server);
  for (const token of ['', ' ', 'sk-bf-unknown', disabled.virtual_key, `${key.virtual_key}x`, key.id, 'a.b.c', '..', 'a.b', 'x'.repeat(5000), `${key.virtual_key} ${key.virtual_key}`]) await refused(flow, bearer(token));
  await refused(flow, { Authorization: 'Bearer' });
  assert.equal((await identityAfter(flow, await submit(flow))).identity_kind, 'skipped');
});

test('S4: an expired virtual key is 401', async () => {
  const old = await server.addKey('old', '--expires-days', '1');
  const flow = await startFlow(server);
  server.sql(`UPDATE virtual_key SET expires_at = 1 WHERE id = '${old.id}'`);
  await refused(flow, bearer(old.virtual_key));
  assert.match((await submit(flow, {})).location, /code=/);
});

test('S4: a bearer does not stand in for the cookie unless it is an administrator\'s', async () => {
  const flow = await startFlow(server);
  for (const token of [key.virtual_key, jwt('HS256', { virtual_key_id: key.id }), jwt('HS256', { virtual_key_id: key.id, role: 'user' })]) {
    assertGatewayError(await postForm(server.base, `${api}/consent/submit`, { flow_id: flow.flowId }, { Accept: 'application/json', ...bearer(token) }), 403, 'browser_mismatch');
  }
});

for (const alg of ['HS256', 'RS256', 'ES256']) {
  test(`S4: a ${alg} token that names the virtual key by claim or by subject makes it the identity`, async () => {
    for (const claims of [{ virtual_key_id: key.id }, { sub: key.id }]) {
      const flow = await startFlow(server);
      const said = await identityAfter(flow, await submit(flow, bearer(jwt(alg, claims))));
      assert.deepEqual([said.identity_kind, said.identity.includes('laptop')], ['virtual_key', true]);
    }
  });

  test(`S4: a ${alg} token is refused without, after or before its time, and for another issuer or audience`, async () => {
    const flow = await startFlow(server);
    const named = { virtual_key_id: key.id };
    const bad = [{ exp: undefined }, { exp: now() - 3600 }, { exp: 'tomorrow' }, { exp: null }, { exp: -1 }, { nbf: now() + 3600 }, { iss: 'https://evil.test' }, { iss: undefined }, { iss: 'https://idp.example.test/' },
      { aud: 'other' }, { aud: undefined }, { aud: ['other', 'more'] }, { aud: [] }, { aud: 'consentgate2' }];
    for (const claims of bad) await refused(flow, bearer(jwt(alg, { ...named, ...claims })));
    assert.equal((await submit(flow, bearer(jwt(alg, { ...named, aud: ['x', 'consentgate'] })))).status, 302);
  });

  test(`S4: a ${alg} token that was changed or signed by another key is refused`, async () => {
    const flow = await startFlow(server);
    const [header, claims, signature] = jwt(alg, { virtual_key_id: key.id }).split('.');
    const strangers = { HS256: 'another secret of some length, thirty-two', RS256: strangeRsa, ES256: crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }) };
    const forged = base64({ iss: 'https://idp.example.test', aud: 'consentgate', exp: now() + 600, role: 'admin' });
    const flipped = Buffer.from(signature, 'base64url');
    flipped[10] ^= 1;
    const bad = [`${header}.${forged}.${signature}`, `${header}.${claims}.`, `${header}.${claims}`, `${header}.${claims}.${flipped.toString('base64url')}`, `${header}.${claims}.${signature}.${signature}`,
      `${header}.${claims}.${signature.slice(4)}`, `.${claims}.${signature}`, `${header}..${signature}`, jwt(alg, { virtual_key_id: key.id }, { signWith: strangers[alg] })];
    for (const token of bad) await refused(flow, bearer(token));
  });
}

test('S4: alg none, in every spelling, is refused', async () => {
  const flow = await startFlow(server);
  const claims = base64({ iss: 'https://idp.example.test', aud: 'consentgate', exp: now() + 600, virtual_key_id: key.id, role: 'admin' });
  for (const alg of ['none', 'None', 'NONE', 'nOnE', '', null, undefined, 'HS512', 'HS384', 7]) {
    const header = base64({ alg, typ: 'JWT' });
    const [, , signature] = jwt('HS256').split('.');
    for (const tail of ['', signature]) await refused(flow, bearer(`${header}.${claims}.${tail}`));
  }
});

test('S4: a public key is not a secret: HS256 over the PEM of the RSA or EC key is refused', async () => {
  const flow = await startFlow(server);
  for (const text of [pem(rsa), pem(curve), pem(rsa).trim(), pem(curve).trim()]) {
    await refused(flow, bearer(jwt('HS256', { role: 'admin' }, { signWith: text })));
    await refused(flow, bearer(jwt('HS256', { virtual_key_id: key.id }, { signWith: text })));
  }
});

test('S4: a header cannot choose another algorithm or bring its own key', async () => {
  const flow = await startFlow(server);
  const claims = { virtual_key_id: key.id };
  const jwk = strangeRsa.publicKey.export({ format: 'jwk' });
  await refused(flow, bearer(jwt('RS256', claims, { header: { jwk }, signWith: strangeRsa })));
  await refused(flow, bearer(jwt('RS256', claims, { header: { jku: 'http://127.0.0.1:9/jwks', kid: '../hs' }, signWith: strangeRsa })));
  await refused(flow, bearer(jwt('RS256', claims, { header: { alg: 'ES256' } })));
  await refused(flow, bearer(jwt('ES256', claims, { header: { alg: 'RS256' } })));
  await refused(flow, bearer(jwt('HS256', claims, { header: { crit: ['x'], x: 1 } })));
  const text = `${base64({ alg: 'ES256', typ: 'JWT' })}.${base64({ ...claims, iss: 'https://idp.example.test', aud: 'consentgate', exp: now() + 600 })}`;
  await refused(flow, bearer(`${text}.${Buffer.alloc(64).toString('base64url')}`));
});

test('S4: a token that names no key, an unknown or a disabled one is refused', async () => {
  const disabled = await server.addKey('gone too');
  await server.admin('key', 'disable', disabled.id, '--yes');
  const flow = await startFlow(server);
  for (const claims of [{}, { virtual_key_id: 'unknown' }, { virtual_key_id: disabled.id }, { virtual_key_id: '' }, { virtual_key_id: 7 }, { virtual_key_id: [key.id] }, { sub: 'ada' }, { role: 'user' }, { role: ['admin'] }, { role: 'Admin' }]) await refused(flow, bearer(jwt('HS256', claims)));
});

test('S4: an administrator\'s token stands in for the cookie and is in the log', async () => {
  for (const alg of ['HS256', 'RS256', 'ES256']) {
    const flow = await startFlow(server);
    await choose(flow, { userId: 'ada' });
    const token = jwt(alg, { role: 'admin', sub: `root-${alg}` });
    const answer = await postForm(server.base, `${api}/consent/submit`, { flow_id: flow.flowId }, { Accept: 'application/json', ...bearer(token) });
    assert.equal((await identityAfter(flow, answer)).identity, 'ada');
    assert.ok(server.logs().split('\n').some((line) => line.includes('admin') && line.includes(`root-${alg}`)), `root-${alg} is not in the log`);
    assert.ok(!server.logs().includes(token));
  }
});

test('S4: an administrator cannot submit twice, nor what is not there', async () => {
  const flow = await startFlow(server);
  const once = () => postForm(server.base, `${api}/consent/submit`, { flow_id: flow.flowId }, { Accept: 'application/json', ...bearer(jwt('RS256', { role: 'admin' })) });
  assert.equal((await once()).status, 302);
  assertGatewayError(await once(), 409, 'flow_already_submitted');
  assertGatewayError(await postForm(server.base, `${api}/consent/submit`, { flow_id: 'A'.repeat(22) }, { Accept: 'application/json', ...bearer(jwt('RS256', { role: 'admin' })) }), 400, 'invalid_flow');
});

test('S11: disabling a virtual key ends its sessions at the next check', async () => {
  const short = await server.addKey('short-lived');
  const flow = await startFlow(server);
  const answer = await submit(flow, bearer(short.virtual_key));
  const { access_token: token } = (await redeem(server, flow, answer.sent().get('code'))).json();
  assert.equal((await whoami(server, token)).identity_kind, 'virtual_key');
  await server.admin('key', 'disable', short.id, '--yes');
  const late = await postForm(server.base, '/mcp', '', bearer(token));
  assert.equal(late.status, 401);
  assert.match(late.headers['www-authenticate'], /error="invalid_token"/);
});
