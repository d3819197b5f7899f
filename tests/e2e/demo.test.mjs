// The demo that `make run` starts: these tests type the commands that it prints. Its MCP server
// knows nothing of tokens and learns from the gate alone who calls.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as Transport1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { optional } from './support/app.mjs';
import { send } from './support/browser.mjs';
import { journey, rpc, whoami } from './support/journey.mjs';
import { root, startServer, until, waitFor } from './support/server.mjs';

const run = promisify(execFile);
const options = { timeout: 240000 };
const two = (await optional('@modelcontextprotocol/client')).module; // needs a newer Node than Debian's
const sdks = [{ Client: Client1, Transport: Transport1 }, ...(two ? [{ Client: two.Client, Transport: two.StreamableHTTPClientTransport }] : [])];
let server;
before(async () => { server = await startServer(); }, options);
after(async () => { await server?.stop(); }, options);

// The command that the demo printed after these words.
function printed(words) {
  const line = server.output.split('\n').find((one) => one.trim().startsWith(words));
  assert.ok(line, server.output);
  return line.trim().slice(words.length).trim();
}
const type = async (command) => (await run('bash', ['-c', command], { env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' } })).stdout;

test('O12: the printed walk signs in step by step, and the tool names the person', options, async () => {
  const walked = await type(printed('By hand, each step of a sign-in:'));
  assert.match(walked, /WWW-Authenticate: Bearer resource_metadata="http:\/\/127\.0\.0\.1:\d+\/\.well-known\/oauth-protected-resource\/mcp", scope="mcp"/i);
  assert.match(walked, /"identity": ?"anna", "identity_kind": ?"user_id"/);
});

test('O12: the printed command makes a virtual key, which signs in as Anna', options, async () => {
  const [virtualKey] = /\S{24,}/.exec(await type(printed('A virtual key for a person:')));
  const { token } = await journey(server, { identity: { virtualKey } });
  const { identity, identity_kind: kind } = await whoami(server, token);
  assert.deepEqual([identity, kind], ['Anna', 'virtual_key']);
});

test('RS11: a client cannot claim to be another person to the MCP server, nor call it past the gate', options, async () => {
  const { token } = await journey(server, { identity: { userId: 'ada' } });
  const forged = Object.fromEntries(['Consentgate-User', 'Consentgate_User', 'CONSENTGATE-USER'].map((name) => [name, 'anna']));
  const answer = await rpc(server, token, 'tools/call', { name: 'whoami', arguments: {} }, forged);
  assert.equal(answer.json().result.structuredContent.identity, 'ada');
  for (const name of ['consentgate.sock', 'gate.sock', 'mcp.sock']) {
    assert.equal(fs.statSync(path.join(server.var, name)).mode & 0o077, 0, `${name} is open to other users of this machine`);
  }
  assert.doesNotMatch(fs.readFileSync(path.join(root, 'examples/whoami_mcp.py'), 'utf8'), /headers.*Authorization|Bearer .*token/i);
});

test('O12: whoever types localhost gets to the demo with a browser, and reads its address in a client', options, async () => {
  const typed = server.base.replace('127.0.0.1', 'localhost');
  for (const target of ['/', '/.well-known/oauth-authorization-server', '/readyz', '/authorize?client_id=x']) {
    const answer = await send(typed, 'GET', target, { headers: { Host: new URL(typed).host } });
    assert.deepEqual([answer.status, answer.location], [302, server.base + target]);
  }
  const page = await fetch(`${typed}/`);
  assert.match(await page.text(), /consentgate is running/);
  assert.equal(page.url, `${server.base}/`);

  const host = { Host: new URL(typed).host };
  for (const method of ['POST', 'GET', 'DELETE']) {
    const answer = await send(typed, method, '/mcp', { headers: { ...host, 'Content-Type': 'application/json' }, body: method === 'POST' ? '{}' : undefined });
    assert.equal(answer.status, 421);
    assert.ok(answer.json().error.message.includes(`This server is called ${server.resource}.`), answer.text);
    assert.equal(answer.headers['access-control-allow-origin'], '*');
  }
  const preflight = await send(typed, 'OPTIONS', '/mcp', { headers: { ...host, Origin: 'http://app.test', 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'mcp-protocol-version' } });
  assert.deepEqual([preflight.status, preflight.headers['access-control-allow-headers']], [204, 'mcp-protocol-version']);
  for (const { Client, Transport } of sdks) {
    const connecting = new Client({ name: 'e2e', version: '1' }).connect(new Transport(new URL(`${typed}/mcp`)));
    await assert.rejects(connecting, (error) => error.message.includes(`This server is called ${server.resource}.`));
  }
});

test('O12: no other name than localhost is taken for a mistake', options, async () => {
  for (const name of ['127.0.0.1', `127.0.0.1:${server.port}`, 'localhost.evil.test', 'tools.example.test', 'xlocalhost']) {
    assert.equal((await send(server.base, 'POST', '/mcp', { headers: { Host: name } })).status, 401, name);
    assert.equal((await send(server.base, 'GET', '/readyz', { headers: { Host: name } })).status, 200, name);
  }
});

test('O12: the demo says that its port is taken, and ends', options, async () => {
  const second = spawn(path.join(root, 'examples/demo.sh'), { env: { ...process.env, PORT: String(server.port), VAR: `${server.var}/second`, BUILD: process.env.BUILD || 'build/asan' } });
  let said = '';
  second.stderr.on('data', (bytes) => { said += bytes; });
  const [code] = await once(second, 'exit');
  assert.equal(code, 1);
  assert.match(said, /choose another with PORT=/);
});

test('O12: the demo stops everything even if nothing reads its output any more', options, async () => {
  const another = await startServer();
  const pids = ['consentgate', 'gate', 'mcp', 'lighttpd'].map((name) => Number(fs.readFileSync(path.join(another.var, `${name}.pid`), 'utf8')));
  for (const stream of [another.child.stdout, another.child.stderr]) stream.destroy();
  waitFor(another.child, true);
  another.child.kill('SIGTERM');
  assert.deepEqual(await another.ended, [0, null]);
  assert.deepEqual(pids.filter((pid) => fs.existsSync(`/proc/${pid}`)), []);
  fs.rmSync(another.var, { recursive: true });
});

test('O12: when one program of the demo ends, all of them end, and the demo with an error', options, async () => {
  const another = await startServer();
  const pids = ['consentgate', 'gate', 'mcp', 'lighttpd'].map((name) => Number(fs.readFileSync(path.join(another.var, `${name}.pid`), 'utf8')));
  waitFor(another.child, true);
  process.kill(pids[2], 'SIGKILL');
  const [code] = await another.ended;
  assert.equal(code, 1);
  await until(() => pids.every((pid) => !fs.existsSync(`/proc/${pid}`)), 'the programs to end');
  fs.rmSync(another.var, { recursive: true });
});
