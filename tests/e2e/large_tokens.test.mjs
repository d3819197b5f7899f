// People's tokens that are longer than a web server takes: each is delivered whole, or the call is
// refused with the reason in the log, and no answer shows a byte of one.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { send } from './support/browser.mjs';
import { fronts, startFront } from './support/fronts.mjs';
import { choose, connect, finish, startFlow } from './support/journey.mjs';
import { startServerBehind } from './support/mcp_behind.mjs';
import { makeAuthority, signIn, startProvider } from './support/upstreams.mjs';

const options = { timeout: 240000 };
const KiB = 1024;
const sizes = [1, 4, 8, 16, 64];
let notion; // a person named p8 has a token of a little more than 8 KiB, most of it x
let behind;
let authority;

before(async () => {
  authority = makeAuthority();
  fs.chmodSync(path.dirname(authority.ca), 0o755);
  notion = await startProvider({ authority, claims: (person) => ({ filling: 'x'.repeat(Number(person.slice(1)) * KiB * 0.75) }) });
  behind = await startServerBehind();
}, options);
after(async () => { await behind?.stop(); await notion?.stop(); }, options);

async function signedIn(server, size) {
  const flow = await startFlow(server);
  await choose(flow, { skip: true });
  await connect(server, flow, 'notion', (address) => signIn(notion, address, `p${size}`));
  return finish(server, flow);
}

const start = (front) => startFront(front, { guards: [{ at: '/mcp', port: behind.port, service: 'notion' }], env: { CONSENTGATE_SERVICE_CA: authority.ca }, prepare: (one) => one.admin('service', 'add', 'notion', '--url', notion.mcpUrl) });
const call = (server, token, more = {}) => send(server.base, 'POST', '/mcp', { headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}`, ...more }, body: '{}' });

// The sizes that arrive.
const arriving = { lighttpd: [1, 4, 8, 16], nginx: [1, 4, 8, 16], Apache: [1, 4], 'Apache on shared hosting': [1, 4] };
for (const front of fronts) {
  test(`XB5 XB1: behind ${front.name} a long token of a person arrives whole, or is refused without a byte of it`, options, async (context) => {
    const server = await start(front);
    const oneNo = front.socket === 'none'; // mod_fcgid makes 401 of every refusal
    try {
      for (const size of sizes) {
        const token = await signedIn(server, size);
        for (const more of [{}, { Connection: 'close, Authorization, Consentgate-Session' }]) {
          const before = behind.seen.length;
          const answer = await call(server, token, more);
          context.diagnostic(`${front.name} | ${size} KiB | ${answer.status}`);
          if (arriving[front.name].includes(size)) {
            assert.equal(answer.status, 200, answer.text.slice(0, 500));
            const [, upstream] = /^Bearer (\S+)$/.exec(behind.last().headers.authorization);
            assert.equal(JSON.parse(Buffer.from(upstream.split('.')[1], 'base64url')).sub, `p${size}`);
            assert.ok(upstream.length > size * KiB && /^[\w-]+\.[\w-]+\.[\w-]+$/.test(upstream));
          } else {
            assert.equal(answer.status, oneNo ? 401 : 503, answer.text.slice(0, 500));
            assert.equal(behind.seen.length, before);
            if (!oneNo) assert.ok(Number(answer.headers['retry-after']) > 0);
            assert.doesNotMatch(answer.text + JSON.stringify(answer.headers), /eHh4|xxxx|Bearer ey/, 'a part of the token');
          }
        }
      }
      const logged = oneNo ? fs.readFileSync(path.join(server.var, 'front.log'), 'utf8') : server.gate.said;
      assert.match(logged, /too long for the web server: a line of \d+ bytes[^\n]*CONSENTGATE_LINE_LIMIT/);
      const found = await server.admin('doctor', '--json').catch((error) => JSON.parse(error.stdout));
      const [finding] = found.filter((one) => /the longest token of a person, at notion/.test(one.finding));
      assert.equal(finding.verdict, 'broken', JSON.stringify(found));
    } finally { await server.stop(); }
  });
}

// Changes a shipped file as an administrator would, or as one who left a line out.
const changed = (front, name, from, to) => ({ ...front, write(folder, ...rest) {
  front.write(folder, ...rest);
  const file = path.join(folder, name);
  const text = fs.readFileSync(file, 'utf8');
  assert.match(text, from);
  fs.writeFileSync(file, text.replace(from, to));
} });
const named = (name) => fronts.find((front) => front.name === name);

test('XB5: behind an nginx whose file says nothing of it, the gate keeps to what nginx takes by itself', options, async () => {
  const server = await start(changed(named('nginx'), 'consentgate/gate.conf', /^ *(fastcgi_buffer|fastcgi_param CONSENTGATE_LINE_LIMIT).*\n/gm, ''));
  try {
    assert.equal((await call(server, await signedIn(server, 1))).status, 200);
    const refused = await call(server, await signedIn(server, 4));
    assert.equal(refused.status, 503);
    assert.match(server.gate.said, /it takes 3900/);
    assert.equal(refused.headers['retry-after'], '3600', 'the gate\'s own word');
  } finally { await server.stop(); }
});

for (const [name, file] of [['Apache', 'apache2/conf-available/consentgate-gate.conf'], ['nginx', 'consentgate/gate.conf'], ['Apache on shared hosting', 'site/mcp/.htaccess']]) {
  test(`XB5: the gate hears from ${name}'s file how long a line may be`, options, async () => {
    const server = await start(changed(named(name), file, /(CONSENTGATE_LINE_LIMIT[= ])\d+/, (_, said) => `${said}1200`));
    try {
      assert.ok((await call(server, await signedIn(server, 1))).status >= 400);
      assert.match(name === 'Apache on shared hosting' ? fs.readFileSync(path.join(server.var, 'front.log'), 'utf8') : server.gate.said, /it takes 1200/);
    } finally { await server.stop(); }
  });
}
