// Each false ID token goes to consentgate and to mod_auth_openidc (Debian's 2.4.12), which was
// written by others. Where the two differ, the table says why; a difference that it does not
// explain fails.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Browser } from './support/browser.mjs';
import { startFalseProvider } from './support/false_provider.mjs';
import { redirect, startModAuthOpenidc } from './support/mod_auth_openidc.mjs';
import { freePort, startServer } from './support/server.mjs';

const options = { timeout: 180000 };
let provider;
let server;
let apache;
before(async () => {
  provider = await startFalseProvider();
  server = await startServer({ env: { IDENTITIES: '', CONSENTGATE_FAILED_AUTHENTICATIONS_PER_MINUTE: '1000' } });
  const secret = path.join(server.var, 'false.secret');
  fs.writeFileSync(secret, provider.secret, { mode: 0o600 });
  await server.admin('idp', 'add', 'corp', '--issuer', provider.issuer, '--client-id', 'consentgate', '--client-secret-file', secret, '--userinfo', 'never');
  const port = await freePort();
  apache = await startModAuthOpenidc({ issuer: provider.issuer, client: 'apache', secret: provider.secret, port });
  assert.equal(apache.redirect, redirect(port));
}, { timeout: 240000 });
after(async () => { await apache?.stop(); await server?.stop(); await provider?.stop(); }, options);

// A person at either program: sent to the provider, and back. out: whether they are let in
async function comesIn(base, issuer, target) {
  const browser = new Browser(base, issuer);
  const sent = await browser.get(target);
  assert.ok([302, 303].includes(sent.status), `${sent.status} ${sent.text}`);
  const back = new URL((await fetch(sent.location, { redirect: 'manual' })).headers.get('location'));
  const answer = await browser.get(back.pathname + back.search);
  return [302, 303].includes(answer.status);
}
const toUs = () => comesIn(server.base, server.issuer, '/oauth/signin/start?idp=corp');
const toThem = () => comesIn(apache.base, apache.base, '/private/page.txt');

const signed = (change, how) => (claims, now) => provider.sign({ ...claims, ...change(claims, now) }, how);
const lacks = (name) => signed(() => ({ [name]: undefined }));
let first; // a token that was used before

// attack, what comes, whether each lets the person in, and for a difference the reason
const table = [
  ['', 'sound, RS256', signed(() => ({})), true, true],
  ['', 'sound, ES256', signed(() => ({}), { key: 'ec' }), true, true],
  ['SA2', 'iss of another provider', signed(() => ({ iss: 'https://other.example.org' })), false, false],
  ['SA10', 'iss with a slash', signed(({ iss }) => ({ iss: `${iss}/` })), false, true, 'they take a slash at the end for the same issuer; OpenID Connect Core 3.1.3.7 (2) wants it exactly'],
  ['SA10', 'iss with a host in capitals', signed(({ iss }) => ({ iss: iss.replace('localhost', 'LOCALHOST') })), false, false],
  ['SA10', 'iss over https', signed(({ iss }) => ({ iss: iss.replace('http:', 'https:') })), false, false],
  ['SA3', 'aud of another client', signed(() => ({ aud: 'other' })), false, false],
  ['SA3', 'aud of one in an array', signed(({ aud }) => ({ aud: [aud] })), true, true],
  ['SA3', 'aud of two, azp ours', signed(({ aud }) => ({ aud: [aud, 'other'], azp: aud })), true, true],
  ['SA3', 'aud of two, azp of the other', signed(({ aud }) => ({ aud: [aud, 'other'], azp: 'other' })), false, false],
  ['SA3', 'aud of two, no azp', signed(({ aud }) => ({ aud: [aud, 'other'] })), false, true, 'they warn of it alone; OpenID Connect Core 3.1.3.7 (4) wants azp looked for'],
  ['SA4', 'alg none', (claims) => provider.unsigned(claims, { alg: 'none' }), false, true, 'they take alg none in the code flow, where TLS vouches for the answer (OpenID Connect Core 3.1.3.7 (6) allows it)'],
  ['SA4', 'an empty signature', (claims) => provider.unsigned(claims, { alg: 'RS256', kid: 'good' }), false, false],
  ['SA5', 'HS256 with the public key', (claims) => provider.hmac(claims, provider.publicPem('good'), 'good'), false, false],
  ['SA5', 'HS256 with the client secret', (claims) => provider.hmac(claims, provider.secret), false, true, 'they verify HS256 with the client secret; we do not, because whoever has the secret could then be anybody'],
  ['SA6', 'a key for encryption', signed(() => ({}), { key: 'enc' }), false, true, 'they do not look at use=enc of a key'],
  ['SA6', 'an RSA key of 1024 bits', signed(() => ({}), { key: 'weak' }), false, true, 'they have no least size of a key; RFC 7518 3.3 wants 2048 bits'],
  ['SA6', 'a key in the header alone', (claims) => provider.sign(claims, { key: 'foreign', header: { kid: undefined, jwk: provider.jwk('foreign') } }), false, false],
  ['', 'no kid', signed(() => ({}), { header: { kid: undefined } }), true, true],
  ['', 'no typ', signed(() => ({}), { header: { typ: undefined } }), true, true],
  ['', 'typ of a logout token', signed(() => ({}), { header: { typ: 'logout+jwt' } }), false, true, 'they do not look at typ, so that a token of another purpose passes'],
  ['', 'an extension in crit', signed(() => ({}), { header: { crit: ['x'], x: 1 } }), false, true, 'they do not look at crit; RFC 7515 4.1.11 wants it refused'],
  ['SA7', 'no nonce', lacks('nonce'), false, false],
  ['SA7', 'another nonce', signed(() => ({ nonce: 'other' })), false, false],
  ['SA7', 'a token that was used before', () => first, false, false],
  ['SA9', 'exp a minute ago', signed((claims, now) => ({ exp: now - 60 })), true, false, 'we allow clocks to differ by two minutes; they allow nothing for exp'],
  ['SA9', 'exp ten minutes ago', signed((claims, now) => ({ exp: now - 600 })), false, false],
  ['SA9', 'no exp', lacks('exp'), false, false],
  ['SA9', 'exp a text', signed(() => ({ exp: 'tomorrow' })), false, false],
  ['SA9', 'exp 1e300', (claims) => provider.sign(JSON.stringify(claims).replace(/"exp":\d+/, '"exp":1e300')), false, false],
  ['SA9', 'iat a minute ahead', signed((claims, now) => ({ iat: now + 60 })), true, true],
  ['SA9', 'iat an hour ahead', signed((claims, now) => ({ iat: now + 3600, exp: now + 7200 })), false, false],
  ['SA9', 'nbf an hour ahead', signed((claims, now) => ({ nbf: now + 3600, exp: now + 7200 })), false, true, 'they do not look at nbf'],
  ['', 'no sub', lacks('sub'), false, false],
  ['', 'sub of 256 characters', signed(() => ({ sub: 'a'.repeat(256) })), false, true, 'they have no longest sub; OpenID Connect Core 2 allows 255'],
  ['', 'at_hash of another token', signed(() => ({ at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' })), false, false],
  ['', 'a claim that nobody knows', signed(() => ({ colour: { green: [1] } })), true, true],
];

test('SA2 SA3 SA4 SA5 SA6 SA7 SA9 SA10: what consentgate and mod_auth_openidc make of each false token, and why they differ', options, async () => {
  const lines = [];
  const wrong = [];
  for (const [attack, what, make, ours, theirs, why] of table) {
    provider.make = async (claims, now) => { const token = await make(claims, now); first ??= token; return token; };
    const found = [await toUs(), await toThem()];
    const word = (yes) => (yes ? 'lets in' : 'refuses');
    lines.push(`${attack.padEnd(5)} ${what.padEnd(34)} we: ${word(found[0]).padEnd(8)} they: ${word(found[1]).padEnd(8)} ${found[0] === found[1] ? '' : why ?? 'NOT EXPLAINED'}`);
    if (found[0] !== ours || found[1] !== theirs) wrong.push(`${what}: expected ${word(ours)}, ${word(theirs)}; found ${found.map(word).join(', ')}`);
    if (ours !== theirs && !why) wrong.push(`${what}: the table does not explain the difference`);
    if (ours === theirs && why) wrong.push(`${what}: the table explains a difference that is none`);
  }
  for (const line of lines) console.log(line);
  assert.deepEqual(wrong, []);
});
