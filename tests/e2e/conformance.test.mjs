// The official conformance suites of MCP, both lines of them: the scenarios for authorization
// servers against consentgate, those for servers through the gate, and those for clients against
// consentgate where it is itself a client, of a service.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { personAt } from './support/app.mjs';
import { send } from './support/browser.mjs';
import { Child, fronts, startFront } from './support/fronts.mjs';
import { journey, register } from './support/journey.mjs';
import { comeBack } from './support/real_clients.mjs';
import { freePort, plainFolder, root, startServer, until } from './support/server.mjs';

const run = promisify(execFile);
const options = { timeout: 240000, skip: Number(process.versions.node.split('.')[0]) < 20 && 'needs Node.js 20' };
const installed = (name) => path.join(root, 'tests/e2e/node_modules/@modelcontextprotocol', name);
const suites = [['conformance-stable', '0.1'], ['conformance', '0.2']].map(([name, line]) => ({ line, name,
  command: (...args) => [`--import=${path.join(root, 'tests/e2e/support/old_node_fs.mjs')}`, path.join(installed(name), 'dist/index.js'), ...args] }));
const [stable, next] = suites;
let server;
let folder;
before(async () => { server = await startServer(); folder = plainFolder(); }, { timeout: 240000 });
after(async () => { await server?.stop(); fs.rmSync(folder, { recursive: true, force: true }); }, { timeout: 120000 });

const listed = async (suite, ...kind) => [...(await run(process.execPath, suite.command('list', ...kind))).stdout.matchAll(/^ +- (\S+)/gm)].map(([, name]) => name);

// Each scenario's checks that a run left.
function checksIn(results) {
  const files = fs.readdirSync(results, { recursive: true }).map(String).filter((file) => path.basename(file) === 'checks.json');
  return new Map(files.map((file) => [file.replace(/-\d{4}-\d{2}-\d{2}T[^/]*\/checks\.json$/, ''), JSON.parse(fs.readFileSync(path.join(results, file), 'utf8'))]));
}
const failed = (checks) => checks.filter(({ status }) => !['SUCCESS', 'INFO', 'SKIPPED'].includes(status));

// ---- consentgate is the authorization server ----------------------------------------------------

test('I1: both lines of the suite are the pinned ones, and 0.1 has no scenarios for authorization servers', options, async () => {
  for (const { line, name } of suites) assert.ok(JSON.parse(fs.readFileSync(path.join(installed(name), 'package.json'), 'utf8')).version.startsWith(line));
  assert.doesNotMatch((await run(process.execPath, stable.command('--help'))).stdout, /authorization/);
  assert.match((await run(process.execPath, next.command('--help'))).stdout, /authorization/);
});

test('I1: every scenario for authorization servers passes', options, async () => {
  const scenarios = await listed(next, '--authorization');
  assert.ok(scenarios.length >= 2, scenarios.join());
  const port = await freePort();
  const results = path.join(folder, 'authorization');
  const client = await register(server, { redirect_uris: [`http://127.0.0.1:${port}/callback`] });
  const child = spawn(process.execPath, next.command('authorization', '--url', server.issuer, '--client-id', client.client_id, '--resource', server.resource, '-p', String(port), '-o', results), { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => { said += bytes; });
  const ended = once(child, 'close');
  try {
    const address = await until(() => /^http:\S+\/authorize\?\S+/m.exec(said)?.[0], 'the suite asks for a sign-in', 20000);
    await comeBack(await personAt(server, address, { skip: true }));
  } catch (error) {
    child.kill(); // it would wait five minutes for its callback
    throw new Error(said, { cause: error });
  }
  const [code] = await ended;
  const checks = checksIn(results);
  assert.deepEqual([...checks.values()].flatMap(failed), [], said);
  assert.equal(code, 0, said);
  for (const scenario of scenarios) assert.ok([...checks].some(([name, made]) => name.includes(scenario) && made.some(({ status }) => status === 'SUCCESS')), `${scenario} did not run: ${said}`);
});

// ---- the gate is in front of an MCP server ------------------------------------------------------

// The suites send no token: this adds one, and changes nothing else.
async function withToken(base, token) {
  const { hostname, port } = new URL(base);
  const proxy = http.createServer((from, to) => {
    const request = http.request({ hostname, port, method: from.method, path: from.url, headers: { ...from.headers, authorization: `Bearer ${token}` } }, (answer) => {
      to.writeHead(answer.statusCode, answer.headers);
      answer.pipe(to);
    });
    request.on('error', () => to.destroy());
    to.on('close', () => request.destroy());
    from.pipe(request);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return proxy;
}

async function serverRun(suite, name, url) {
  const results = path.join(folder, name);
  const { stdout, stderr } = await run(process.execPath, suite.command('server', '--url', url, '-o', results), { timeout: 200000, maxBuffer: 1 << 26 }).catch((error) => error);
  const checks = checksIn(results);
  assert.ok(checks.size > 10, `${stdout}${stderr}`);
  return checks;
}

// A check as it can be compared: each run has times and ids of its own.
const verdicts = (checks) => checks.map(({ id, status }) => `${id} ${status}`).sort();

for (const suite of suites) {
  test(`I1: in suite ${suite.line} every scenario for servers has the same result through the gate as without it`, options, async () => {
    const port = await freePort();
    const everything = new Child(process.execPath, [path.join(installed('server-everything'), 'dist/index.js'), 'streamableHttp'], { env: { ...process.env, PORT: String(port) } });
    await until(() => send(`http://127.0.0.1:${port}`, 'GET', '/mcp').then(() => true, () => false), 'the reference server');
    const front = await startFront(fronts.find(({ name }) => name === 'lighttpd'), { guards: [{ at: '/mcp', port }] });
    const proxy = await withToken(front.base, (await journey(front)).token);
    try {
      const [direct, guarded] = await Promise.all([serverRun(suite, `direct-${suite.line}`, `http://127.0.0.1:${port}/mcp`), serverRun(suite, `guarded-${suite.line}`, `http://127.0.0.1:${proxy.address().port}/mcp`)]);
      assert.deepEqual([...guarded.keys()].sort(), [...direct.keys()].sort());
      const passing = [];
      for (const [scenario, checks] of direct) {
        assert.deepEqual(verdicts(guarded.get(scenario)), verdicts(checks), `${scenario}: ${JSON.stringify(failed(guarded.get(scenario)))}`);
        if (failed(checks).length === 0) passing.push(scenario);
      }
      // The others test tools and prompts that only the suite's own example server has.
      for (const name of ['server-initialize', 'ping', 'tools-list', 'resources-list', 'prompts-list']) assert.ok(passing.some((scenario) => scenario.includes(name)), `${name}: ${passing}`);
    } finally {
      proxy.close();
      proxy.closeAllConnections();
      await front.stop();
      await everything.stop('SIGKILL');
    }
  });
}

// ---- consentgate is a client, of a service ------------------------------------------------------

// The scenarios for clients that say nothing of a client of ours, which connects accounts and calls
// no tools; or nothing in this line of the suite.
const another = 'another grant or extension than the code grant';
const notOurs = {
  both: { 'auth/basic-cimd': 'a document needs an https address of ours; services.test.mjs has a service that reads it',
    'auth/scope-step-up': 'the server behind the gate meets the 403 of a service', 'auth/scope-retry-limit': 'as above',
    'auth/pre-registration': 'an operator types the id and secret, which the suite hands over in a variable of its own',
    'auth/2025-03-26-oauth-endpoint-fallback': 'a service without any metadata is entered by hand',
    'auth/client-credentials-jwt': another, 'auth/client-credentials-basic': another },
  0.1: { 'auth/2025-03-26-oauth-metadata-backcompat': 'its document names another issuer than the one that was asked (RFC 8414 section 3.3), as 0.2 knows', 'auth/cross-app-access-complete-flow': another },
  0.2: { 'auth/authorization-server-migration': 'an operator adds a service anew when its authorization server is another one',
    'auth/enterprise-managed-authorization': another, 'auth/dpop': another, 'auth/dpop-nonce': another, 'auth/wif-jwt-bearer': another },
};

for (const suite of suites) {
  test(`I1 S7: in suite ${suite.line} consentgate passes the scenarios for clients when it connects an account`, options, async () => {
    const not = { ...notOurs.both, ...notOurs[suite.line] };
    const all = (await listed(suite, '--client')).filter((name) => name.startsWith('auth/'));
    for (const name of Object.keys(not)) assert.ok(all.includes(name), `${name} is not in the suite`);
    const program = path.join(root, 'tests/e2e/support/service_client.mjs');
    const under = JSON.stringify({ admin: path.resolve(root, process.env.BUILD || 'build/asan', 'consentgate-admin'), environment: server.environment(), server: { base: server.base, issuer: server.issuer, resource: server.resource } });
    const results = path.join(folder, `client-${suite.line}`);
    let said = '';
    // One process runs a group of them at once, also those that are not ours.
    for (const group of ['auth', 'draft', 'backcompat']) {
      const { stdout, stderr } = await run(process.execPath, suite.command('client', '--command', `${process.execPath} ${program}`, '--suite', group, '-o', results, '--timeout', '120000'),
        { env: { ...process.env, CONSENTGATE_UNDER_TEST: under }, timeout: 230000, maxBuffer: 1 << 26 }).catch((error) => error);
      said += stdout + stderr;
    }
    const checks = checksIn(results);
    for (const name of all.filter((one) => !(one in not))) {
      assert.ok(checks.get(name)?.some(({ status }) => status === 'SUCCESS'), `${name} did not run: ${said}`);
      assert.deepEqual(failed(checks.get(name)), [], `${name}: ${said}`);
    }
  });
}
