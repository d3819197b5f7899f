// The prefork master: a reload under load loses no request, a bad configuration changes nothing,
// the example's two commands hold.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { inLanes, journey, register } from './support/journey.mjs';
import { root, startServer, until } from './support/server.mjs';

const run = promisify(execFile);
let server;
let configuration;

before(async () => {
  server = await startServer({ workers: 4 });
  configuration = path.join(server.var, 'consentgate.conf');
}, { timeout: 240000 });
after(async () => { await server?.stop(); }, { timeout: 120000 });

const replaced = (old) => until(() => server.workerPids().length === 4 && !server.workerPids().some((pid) => old.includes(pid)), 'all workers to be replaced');

test('O5: a reload replaces every worker and fails no request', { timeout: 240000 }, async () => {
  const client = await register(server);
  let loading = true;
  const load = inLanes(4, Array.from({ length: 400 }, () => async () => (loading ? journey(server, { client }) : null)));
  for (let round = 0; round < 3; round += 1) {
    const old = server.workerPids();
    process.kill(server.masterPid(), 'SIGHUP');
    await replaced(old);
  }
  loading = false;
  const done = (await load).filter(Boolean); // journey() itself fails on any answer that is not the right one
  assert.ok(done.length >= 4, `only ${done.length} journeys ran`);
});

test('O5: a worker before which requests always wait is replaced all the same', { timeout: 240000 }, async (t) => {
  const busy = await startServer({ workers: 1 });
  t.after(() => busy.stop());
  const [old] = busy.workerPids();
  let loading = true;
  const lanes = Array.from({ length: 64 }, async () => {
    while (loading) {
      const reply = await fetch(`${busy.base}/oauth/sessions`);
      assert.equal(reply.status, 200);
      await reply.text();
    }
  });
  try {
    process.kill(busy.masterPid(), 'SIGHUP');
    await until(() => !busy.workerPids().includes(old), 'the worker to be replaced', 5000);
  } finally { loading = false; }
  await Promise.all(lanes);
});

test('O5: a reload takes up a changed configuration, and leaves a broken one alone', { timeout: 240000 }, async () => {
  const written = fs.readFileSync(configuration, 'utf8');
  const names = async () => (await (await fetch(`${server.base}/.well-known/oauth-authorization-server`)).json()).scopes_supported;
  assert.deepEqual(await names(), ['mcp', 'profile']);

  fs.writeFileSync(configuration, written.replace(/^scopes = .*$/m, 'scopes = mcp=Use the tools; extra=Do more'));
  const old = server.workerPids();
  process.kill(server.masterPid(), 'SIGHUP');
  await replaced(old);
  assert.deepEqual(await names(), ['mcp', 'extra']);

  const current = server.workerPids();
  fs.writeFileSync(configuration, `${written}\nno_such_key = 1\n`);
  process.kill(server.masterPid(), 'SIGHUP');
  await until(() => /event=reload_failed/.test(server.logs()), 'the log to say why');
  assert.match(server.logs(), /no_such_key is not a key that consentgate knows/);
  assert.deepEqual(server.workerPids(), current);
  assert.deepEqual(await names(), ['mcp', 'extra']);
  fs.writeFileSync(configuration, written);
});

test('O5: the walk with curl that the README names comes to its end', { timeout: 120000 }, async () => {
  const { stdout } = await run(path.join(root, 'examples/walk.sh'), [], { env: { ...process.env, PORT: String(server.port) } });
  const client = /client_id: (cgc_\S+)/.exec(stdout)?.[1];
  assert.ok(stdout.includes(`"text": "client=${client} identity=user_id:anna"`), stdout);
});
