// The operator's view from outside: the numbers of /metrics, life and readiness, and the audit
// file.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { moveAway } from './support/faults.mjs';
import { fronts, startFront } from './support/fronts.mjs';
import { journey } from './support/journey.mjs';
import { startServerBehind } from './support/mcp_behind.mjs';
import { send } from './support/browser.mjs';
import { root, startServer, until } from './support/server.mjs';

const run = promisify(execFile);
const long = { timeout: 120000 };
let server;
let done;

before(async () => {
  server = await startServer({ workers: 3, env: { CONSENTGATE_AUDIT_FILE: 'audit.log' } });
  done = await journey(server);
}, { timeout: 240000 });
after(async () => { await server?.stop(); }, long);

// Every line of /metrics as { 'name{labels}': number }.
async function counted() {
  const answer = await send(server.base, 'GET', '/metrics');
  assert.equal(answer.status, 200);
  return Object.fromEntries(answer.text.trim().split('\n').filter((line) => !line.startsWith('#')).map((line) => {
    const at = line.lastIndexOf(' ');
    return [line.slice(0, at), Number(line.slice(at + 1))];
  }));
}

test('O7: one journey is counted by whichever workers served it', long, async () => {
  const numbers = await counted();
  assert.equal(numbers['consentgate_finalizations_total{by="person"}'], 1);
  assert.equal(numbers['consentgate_requests_total{route="oauth_consent_submit",status="302"}'], 1);
  assert.equal(numbers['consentgate_requests_total{route="oauth_token",status="200"}'], 1);
  assert.equal(numbers['consentgate_request_seconds_count{route="oauth_token"}'], 1);
  assert.equal(numbers['consentgate_workers{role="pages"}'], 3);
  assert.equal(numbers.consentgate_metrics_lost_total, 0);
});

// From an address of this machine that is not the one monitors have.
const askedFrom = (localAddress, target) => new Promise((done, fail) => {
  http.get({ host: '127.0.0.1', port: server.port, path: target, localAddress }, (answer) => { answer.resume(); done(answer.statusCode); }).on('error', fail);
});

test('O7: the numbers are for this machine alone, however their address is written', long, async () => {
  for (const target of ['/metrics', '/%6detrics', '/./metrics', '/x/../metrics', '//metrics', '/metrics?a=b']) assert.notEqual(await askedFrom('127.0.0.2', target), 200, target);
  assert.equal(await askedFrom('127.0.0.1', '/metrics'), 200);
  assert.equal(await askedFrom('127.0.0.2', '/readyz'), 200);
});

test('O7: consentgate-admin metrics prints the same numbers', long, async () => {
  assert.match(await server.admin('metrics'), /^consentgate_finalizations_total\{by="person"\} 1$/m);
});

test('O7: a worker that is killed is counted, and the counts of all go on', long, async () => {
  const before_ = await counted();
  process.kill(server.workerPids()[0], 'SIGKILL');
  let after_;
  await until(async () => {
    after_ = await counted();
    return after_['consentgate_worker_deaths_total{role="pages"}'] === 1 && after_['consentgate_workers{role="pages"}'] === 3;
  }, 'the death to be counted, and who came in its place');
  assert.ok(after_['consentgate_requests_total{route="metrics",status="200"}'] > before_['consentgate_requests_total{route="metrics",status="200"}']);
});

test('O6: without a database the workers live, are not ready, and count what failed', long, async () => {
  const undo = moveAway(server);
  try {
    assert.equal((await send(server.base, 'GET', '/healthz')).status, 200);
    assert.equal((await send(server.base, 'GET', '/readyz')).status, 503);
    assert.ok((await counted()).consentgate_store_errors_total >= 1);
  } finally { await undo(); }
  await until(async () => (await send(server.base, 'GET', '/readyz')).status === 200, 'the store to be back');
});

test('O8: the audit file names who let which client in, and holds no secret; the file of numbers is the server\'s alone', long, async () => {
  await server.addKey('audited');
  const file = path.join(server.var, 'audit.log');
  const text = fs.readFileSync(file, 'utf8');
  const consent = text.split('\n').find((line) => line.includes(' what=consent_given '));
  for (const field of [/ by=person /, / client=cgc_/, / session=/, / subject=/, / resource=/, / address=127\.0\.0\.1$/]) assert.match(consent, field);
  assert.match(text, / event=audit what=operator_command .*command="key add" operand=audited uid=\d+/);
  for (const secret of [done.token, done.code].filter(Boolean)) assert.ok(!text.includes(secret));
  assert.ok(done.token);
  for (const name of ['audit.log', 'metrics']) assert.equal(fs.statSync(path.join(server.var, name)).mode & 0o777, 0o600, name);
});

test('O8: after a reload the audit file that was moved away is begun anew', long, async () => {
  const file = path.join(server.var, 'audit.log');
  fs.renameSync(file, `${file}.1`);
  const old = server.workerPids();
  process.kill(server.masterPid(), 'SIGHUP');
  await until(() => server.workerPids().length === 3 && !server.workerPids().some((pid) => old.includes(pid)), 'the workers to be replaced');
  await journey(server);
  assert.match(fs.readFileSync(file, 'utf8'), / what=consent_given /);
  assert.equal((await counted())['consentgate_finalizations_total{by="person"}'], 2);
});

test('O8: what an operator does is not done when it cannot be written down', long, async () => {
  const names = async () => (await server.admin('key', 'list', '--json')).map((key) => key.name);
  const environment = { ...server.environment(), CONSENTGATE_AUDIT_FILE: 'no/such/folder/audit.log' };
  await assert.rejects(run(path.resolve(root, process.env.BUILD || 'build/asan', 'consentgate-admin'), ['key', 'add', 'unwritten'], { cwd: server.var, env: environment }), /audit_file .*cannot be written/);
  assert.ok(!(await names()).includes('unwritten'));
  assert.ok((await names()).includes('audited'));
});

// The one line that mounts the paths for a monitor, as its file or macro names it; lighttpd's is in
// force in all of these tests.
const monitored = {
  lighttpd: (folder) => assert.match(fs.readFileSync(path.join(folder, 'front.conf'), 'utf8'), /^include ".*\/monitor\.conf"$/m),
  Apache: (folder) => change(path.join(folder, 'apache2/sites-available/000-default.conf'), 'Use Consentgate\n', 'Use Consentgate\n    Use ConsentgateMonitor\n'),
  nginx: (folder) => change(path.join(folder, 'front.conf'), 'include consentgate/pages.conf;', 'include consentgate/pages.conf;\ninclude consentgate/monitor.conf;'),
};
const change = (file, from, to) => {
  const text = fs.readFileSync(file, 'utf8');
  assert.ok(text.includes(from), `${file} has no ${from}`);
  fs.writeFileSync(file, text.replace(from, to));
};
for (const front of fronts.slice(0, 3)) {
  test(`O7: the numbers are this machine's alone behind ${front.name}, once their lines are in force`, { timeout: 120000 }, async () => {
    const behind = await startServerBehind();
    const numbers = (server, options) => new Promise((resolve, reject) => {
      http.get(`${server.base}/metrics`, options, async (answer) => resolve({ status: answer.statusCode, text: Buffer.concat(await answer.toArray()).toString() })).on('error', reject);
    });
    const write = (folder, ...rest) => {
      front.write(folder, ...rest);
      monitored[front.name](folder);
      // Apache calls all of 127.0.0.0/8 local: another machine is played by a header that says
      // whose request it is.
      if (front.name === 'Apache') {
        execFileSync('a2enmod', ['-q', 'remoteip'], { env: { ...process.env, APACHE_CONFDIR: path.join(folder, 'apache2') }, stdio: 'pipe' });
        fs.appendFileSync(path.join(folder, 'apache2/conf-available/consentgate.conf'), 'RemoteIPHeader X-Client\n');
      }
    };
    const server = await startFront({ ...front, write }, { guards: [{ at: '/mcp', port: behind.port }] });
    try {
      const here = await numbers(server, {});
      assert.equal(here.status, 200, here.text);
      assert.match(here.text, /^consentgate_requests_total\{/m);
      const other = await numbers(server, front.name === 'Apache' ? { headers: { 'X-Client': '192.0.2.7' } } : { localAddress: '127.0.0.2' });
      assert.equal(other.status, 403, other.text);
      assert.doesNotMatch(other.text, /consentgate_/);
    } finally { await server.stop(); await behind.stop(); }
  });
}
