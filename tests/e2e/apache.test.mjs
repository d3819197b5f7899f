// The same server behind a real Apache, mounted by conf/apache/pages.conf as it is shipped.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Browser, postForm, send } from './support/browser.mjs';
import { assertGatewayError, assertOauthError, assertPage } from './support/checks.mjs';
import { api, choose, codeFor, post, redeem, register, startFlow, submit } from './support/journey.mjs';
import { freePort, plainFolder, root, startServer, until } from './support/server.mjs';

let server; // as the journey sees it: its base is Apache's
let apache;
const get = (base, target) => send(base, 'GET', target);

function configuration(folder, port) {
  const modules = ['mpm_event', 'authz_core', 'macro', 'proxy', 'proxy_fcgi'].map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`);
  const shipped = fs.readFileSync(path.join(root, 'conf/apache/pages.conf'), 'utf8').replace('/run/consentgate/consentgate.sock', path.join(folder, 'consentgate.sock'));
  return [`ServerRoot "${folder}"`, 'ServerName 127.0.0.1', `Listen 127.0.0.1:${port}`, `PidFile "${folder}/apache.pid"`, `ErrorLog "${folder}/apache.log"`,
    ...modules, ...(process.getuid() === 0 ? ['User www-data', 'Group www-data'] : []),
    `DocumentRoot "${folder}"`, shipped, `<VirtualHost 127.0.0.1:${port}>`, 'Use Consentgate', '</VirtualHost>', ''].join('\n');
}

before(async () => {
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const folder = plainFolder(); // Apache's Define takes no blank
  server = await startServer({ folder, env: { CONSENTGATE_ISSUER: base, CONSENTGATE_RESOURCES: `${base}/mcp` } });
  Object.assign(server, { base, issuer: base, resource: `${base}/mcp` });
  const file = path.join(server.var, 'apache.conf');
  fs.writeFileSync(file, configuration(server.var, port));
  // Started by root, Apache works as www-data, which must reach the socket.
  if (process.getuid() === 0) {
    fs.chmodSync(server.var, 0o711);
    fs.chmodSync(path.join(server.var, 'consentgate.sock'), 0o666);
  }
  apache = spawn('apache2', ['-D', 'FOREGROUND', '-f', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  apache.said = '';
  apache.stderr.on('data', (bytes) => { apache.said += bytes; });
  await until(async () => {
    if (apache.exitCode !== null) throw new Error(`Apache ended: ${apache.said}`);
    return get(base, '/.well-known/oauth-authorization-server').then(({ status }) => status === 200, () => false);
  }, 'Apache to answer');
}, { timeout: 240000 });

after(async () => {
  if (apache?.exitCode === null) { apache.kill('SIGTERM'); await once(apache, 'exit'); }
  await server?.stop();
  if (server) fs.rmSync(server.var, { recursive: true, force: true });
}, { timeout: 120000 });

test('S6 behind Apache: a whole sign-in, pages and all, with bearers passed on', async () => {
  const client = await register(server);
  const flow = await codeFor(server, { client, identity: { userId: 'anna' } });
  const answer = await redeem(server, flow, flow.code);
  assert.equal(answer.status, 200, answer.text);
  const open = await startFlow(server, { client });
  assertPage(await open.browser.get(`/oauth/consent?flow_id=${open.flowId}`), 200);
  await choose(open, { skip: true });
  assertGatewayError(await submit(open, { Authorization: 'Bearer nonsense', Accept: 'application/json' }), 401, 'invalid_bearer');
  assert.equal((await submit(open)).status, 302);
});

test('S14 behind Apache: a body over the limit is our 413, a wrong path our 404', async () => {
  const flow = await startFlow(server);
  const large = await post(flow, 'submit', { padding: 'x'.repeat(70000) });
  assert.equal(large.status, 413);
  assertOauthError(await postForm(server.base, `${api}/token`, { grant_type: 'x'.repeat(70000) }), 413, 'invalid_request');
  // So much that we stop reading: the answer must arrive all the same, and not be lost with the
  // connection.
  assertOauthError(await postForm(server.base, `${api}/token`, { grant_type: 'x'.repeat(20 * 1024 * 1024) }), 413, 'invalid_request');
  assert.equal((await get(server.base, '/.well-known/oauth-protected-resource/no%2Fwhere')).status, 404);
  assert.equal((await new Browser(server.base).get('/oauth/nowhere')).status, 404);
  assert.equal((await submit(flow)).status, 302);
});
