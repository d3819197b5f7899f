// The twelve traps between a web server and a FastCGI program. Each was seen to spring without what
// is tested here: some lose a request, some let one in.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { send } from './support/browser.mjs';
import { Peer, ask, authorizer, begin, pairs, posted, record, request } from './support/fastcgi.mjs';
import { Child, fronts, startFront } from './support/fronts.mjs';
import { api, journey, startFlow } from './support/journey.mjs';
import { startServerBehind } from './support/mcp_behind.mjs';
import { childrenOf, freePort, plainFolder, root, startServer, until } from './support/server.mjs';

const options = { timeout: 120000 };
const metadata = '/.well-known/oauth-authorization-server';
const token = `${api}/token`;
const build = process.env.BUILD || 'build/asan';
const patience = 1000; // ms that a body may take here
let server;
let pages; // the sockets
let gate;
let gates;

// Another master on another socket.
const start = async (where, words = ['--gate'], env = {}) => {
  const child = new Child('spawn-fcgi', ['-n', ...where, '--', path.resolve(root, build, 'consentgate'), ...words], { cwd: server.var, env: { ...server.environment(), ...env } });
  await until(() => { assert.ok(!child.ended, child.said); return /event=started/.test(child.said); }, 'the workers to start');
  return child;
};

before(async () => {
  server = await startServer({ workers: 1, env: { PROTECT: 'no', CONSENTGATE_BODY_TIMEOUT_MS: String(patience), CONSENTGATE_GATE_WORKERS: '1' } });
  pages = { path: path.join(server.var, 'consentgate.sock') };
  gate = { path: path.join(server.var, 'gate.sock') };
  gates = await start(['-s', gate.path]);
}, { timeout: 240000 });

after(async () => {
  await gates?.stop();
  if (server) server.output += gates?.said ?? '';
  await server?.stop();
}, options);

// A worker's connections, by the kernel's own numbers: a count would miss one that comes while the
// one of an earlier test goes.
function sockets(pid) {
  const names = fs.readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try { return fs.readlinkSync(`/proc/${pid}/fd/${fd}`); } catch { return ''; } // closed meanwhile
  });
  return new Set(names.filter((name) => name.startsWith('socket:')));
}
const hasNewSocket = (pid, before) => [...sockets(pid)].some((socket) => !before.has(socket));
const serves = async (where, path_ = metadata) => (await ask(where, request('GET', path_))).status;

test('F1: whatever a web server asks the gate, there is an answer, and no empty one: lighttpd takes that for a yes', options, async () => {
  const odd = [{}, { REQUEST_METHOD: 'GET' }, { REQUEST_URI: '/mcp' }, request('', ''), request('GET', '/mcp/\u0001'), request('GET', `/mcp?${'x'.repeat(60000)}`),
    request('GET', '/mcp', { HTTP_AUTHORIZATION: 'Bearer ' }), request('GET', '/mcp', { HTTP_AUTHORIZATION: `Bearer ${'x'.repeat(60000)}` }), request('GET', '/elsewhere'), request('DELETE', '//mcp')];
  for (const values of odd) {
    const answer = await ask(gate, values, { role: authorizer, stdin: false });
    assert.ok(answer.status >= 400, `${JSON.stringify(values).slice(0, 80)}: ${answer.raw}`);
  }
});

test('F1: a gate that cannot read its database says no, even to a token that it remembers', options, async () => {
  const { token: good } = await journey(server);
  const answers = async () => {
    const asked = [good, good, good, `cgs_${'A'.repeat(43)}`].map((one) => () => ask(gate, request('GET', '/mcp', { HTTP_AUTHORIZATION: `Bearer ${one}` }), { role: authorizer, stdin: false }));
    const statuses = [];
    for (const each of asked) statuses.push((await each()).status);
    return statuses;
  };
  assert.deepEqual(await answers(), [200, 200, 200, 401]);
  const folder = path.dirname(server.database);
  fs.renameSync(server.database, path.join(folder, 'away.db'));
  try {
    assert.deepEqual(await answers(), [503, 503, 503, 503]);
  } finally { fs.renameSync(path.join(folder, 'away.db'), server.database); }
  assert.deepEqual(await answers(), [200, 200, 200, 401]);
});

test('V5 C11: a token that the gate has let pass again and again is refused by the first call after it was revoked', options, async () => {
  for (let round = 0; round < 5; ++round) {
    const { token: good, client } = await journey(server);
    const passes = async () => (await ask(gate, request('GET', '/mcp', { HTTP_AUTHORIZATION: `Bearer ${good}` }), { role: authorizer, stdin: false })).status;
    for (let again = 0; again < 4; ++again) assert.equal(await passes(), 200);
    const form = `token=${good}&client_id=${client.client_id}`;
    assert.equal((await ask(pages, posted(`${api}/revoke`, form), { body: form })).status, 200);
    assert.equal(await passes(), 401);
  }
});

test('F3: Status is the first line of every answer, because lighttpd drops what stands before it', options, async () => {
  const { token: good } = await journey(server);
  const asked = [
    ask(gate, request('GET', '/mcp'), { role: authorizer, stdin: false }),
    ask(gate, request('GET', '/mcp', { HTTP_AUTHORIZATION: `Bearer ${good}` }), { role: authorizer, stdin: false }),
    ask(gate, request('GET', '/mcp')), ask(pages, request('GET', metadata)), ask(pages, request('GET', '/nowhere')), ask(pages, request('HEAD', metadata)),
    ask(pages, request('OPTIONS', token)), ask(pages, posted(token, 'x=y'), { body: 'x=y' }),
  ];
  for (const { lines, raw } of await Promise.all(asked)) {
    assert.match(lines[0], /^Status: [2-5]\d\d /, raw);
    assert.equal(lines.filter((line) => /^status:/i.test(line)).length, 1, raw);
  }
  const [refused, passed] = [await asked[0], await asked[1]];
  assert.equal(refused.status, 401);
  assert.ok(refused.lines.some((line) => line.startsWith('WWW-Authenticate: Bearer ')), refused.raw);
  assert.equal(passed.status, 200);
  assert.ok(passed.lines.slice(1).every((line) => line.startsWith('Variable-')), `a header beside variables would go to the client: ${passed.raw}`);
});

test('F4: every redirect says its status, because Apache makes 200 of a Location alone', options, async () => {
  const flow = await startFlow(server);
  const cookie = [...flow.browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  const skip = `flow_id=${flow.flowId}`;
  for (const step of ['skip', 'submit']) {
    const answer = await ask(pages, posted(`${api}/consent/${step}`, skip, { HTTP_COOKIE: cookie, HTTP_ORIGIN: server.base }), { body: skip });
    assert.equal(answer.lines[0], 'Status: 302 Found', answer.raw);
    assert.ok(answer.lines.some((line) => line.startsWith('Location: ')), answer.raw);
  }
});

test('F6: a worker that is asked to stop in the middle of a body reads it to its end, and answers', options, async () => {
  const [worker] = server.workerPids();
  const idle = sockets(worker);
  const body = `grant_type=authorization_code&code=${'x'.repeat(500)}`;
  const peer = new Peer(pages);
  await peer.send(begin(), record('params', pairs(posted(token, body))), record('params'), record('stdin', body.slice(0, 100)));
  await until(() => hasNewSocket(worker, idle), 'the worker to read');
  process.kill(worker, 'SIGTERM');
  await new Promise((done) => { setTimeout(done, 200); });
  await peer.send(record('stdin', body.slice(100)), record('stdin'));
  const answer = await peer.answer();
  assert.equal(answer.status, 401, answer.raw); // of a form that was read, and names no client
  assert.match(answer.body, /client_id is missing/);
  await until(() => server.workerPids().length === 1 && !server.workerPids().includes(worker), 'another worker');
});

test('F7: a request that was cut off is never taken for a shorter one', options, async () => {
  const logged = () => server.logs().split('event=request').length;
  const whole = pairs(request('GET', metadata));
  const before_ = logged();
  const cuts = [[begin()], [begin(), record('params', whole)], [begin(), record('params', whole.subarray(0, whole.length - 3)), record('params')], [begin(), record('params', pairs({ REQUEST_METHOD: 'GET' })).subarray(0, 12)]];
  for (const parts of cuts) {
    const peer = new Peer(pages);
    await peer.send(...parts);
    const answer = await peer.half().answer();
    assert.ok(answer.raw === '' || answer.status === 400, answer.raw);
    const asked = new Peer(gate);
    await asked.send(...parts.map((part) => (part.equals(begin()) ? begin(authorizer) : part)));
    const refused = await asked.half().answer();
    assert.ok(refused.raw === '' ? !refused.ended : refused.status === 400, `an empty answer that ends is a yes: ${refused.raw}`);
  }
  assert.equal(await serves(pages), 200);
  assert.equal(logged(), before_ + 1, 'of the cut ones none was handled');
});

test('F7: a body that is shorter than was promised, or ends without its end, is refused', options, async () => {
  const short = await ask(pages, posted(token, 'grant_type=authorization_code', { CONTENT_LENGTH: '500' }), { body: 'grant_type=authorization_code' });
  assert.equal(short.status, 400);
  assert.match(short.body, /cut off/);
  const peer = new Peer(pages);
  await peer.send(begin(), record('params', pairs(posted(token, 'x'.repeat(500)))), record('params'), record('stdin', 'grant_type='));
  const cut = await peer.half().answer();
  assert.equal(cut.status, 400);
  assert.match(cut.body, /cut off/);
});

test('F8: no worker ends by what a hostile peer sends, which would end libfcgi', options, async () => {
  const names = (count) => record('getValues', pairs({ FCGI_MAX_CONNS: '' }).toString().repeat(count), 0);
  const noise = Buffer.from(Array.from({ length: 4096 }, (_, at) => (at * 193) & 255));
  const hostile = [[names(50)], [Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')], [begin(99)], [noise], [begin(), record('params', Buffer.from([0xff, 0xff, 0xff, 0xfe, 0x80, 0, 0, 3, 65, 66]))], [Buffer.from([2, 1, 0, 1])]];
  for (const words of [[], ['--gate']]) {
    const where = { path: path.join(server.var, 'hostile.sock') };
    const reports = plainFolder(); // of libfcgi's errors, which are not ours
    const attacked = await start(['-s', where.path], words, { ASAN_OPTIONS: `log_path=${reports}/asan` });
    const workers = childrenOf(attacked.pid);
    try {
      for (const parts of hostile) {
        const peer = new Peer(where);
        await peer.send(...parts);
        await peer.half().answer();
        const [target, status] = words.length ? ['/mcp', 401] : [metadata, 200];
        await until(async () => (await serves(where, target)) === status, 'an answer again');
      }
      assert.deepEqual(childrenOf(attacked.pid), workers);
      assert.equal(workers.length, 1);
    } finally { await attacked.stop(); fs.rmSync(reports, { recursive: true }); }
  }
});

test('F8: a gate on a port hears nobody but this machine, and somebody who calls it and says nothing holds no worker', options, async () => {
  const port = await freePort();
  const listening = await start(['-a', '127.0.0.1', '-p', String(port)]);
  const silent = net.connect(port, '127.0.0.1');
  try {
    const half = new Peer({ port });
    await half.send(begin(authorizer).subarray(0, 9));
    assert.equal((await ask({ port }, request('GET', '/mcp'), { role: authorizer, stdin: false })).status, 401);
  } finally {
    silent.destroy();
    await listening.stop();
    server.output += listening.said;
  }
});

test('XD5: a head that is not complete after two seconds is hung up on, however it drips', options, async () => {
  const port = await freePort();
  for (const where of [{ port }, { path: path.join(server.var, 'drip.sock') }]) {
    const listening = await start(where.port ? ['-a', '127.0.0.1', '-p', String(port)] : ['-s', where.path]);
    const whole = Buffer.concat([begin(authorizer), record('params', pairs(request('GET', '/mcp', { HTTP_X: 'x'.repeat(30000) })))]);
    try {
      for (const [first, drop, pause] of [[0, 0, 50], [1, 1, 50], [1, 1, 1], [whole.length - 200, 1, 50], [whole.length, 0, 50]]) {
        const slow = new Peer(where);
        await slow.send(whole.subarray(0, first));
        let at = first;
        const dripping = setInterval(() => { slow.socket.write(whole.subarray(at, at += drop)); }, pause);
        try {
          const asked = ask(where, request('GET', '/mcp'), { role: authorizer, stdin: false });
          await slow.closed;
          assert.ok(at <= whole.length, 'it did not end by itself');
          assert.equal(slow.received.length, 0);
          assert.equal((await asked).status, 401, 'the only worker serves the next request');
        } finally { clearInterval(dripping); }
      }
    } finally {
      await listening.stop();
      server.output += listening.said;
    }
  }
});

test('F5: a connection that a web server wants to keep is closed after its answer, and holds no worker', options, async () => {
  const kept = Buffer.from(begin(authorizer));
  kept[10] = 1; // FCGI_KEEP_CONN
  const peer = await new Peer(gate).send(kept, record('params', pairs(request('GET', '/mcp'))), record('params'));
  assert.equal((await peer.answer()).status, 401);
  assert.equal((await ask(gate, request('GET', '/mcp'), { role: authorizer, stdin: false })).status, 401);
});

test('F9: each worker is a process of one thread that serves, and all of them end with their master', options, async () => {
  const port = await freePort();
  const another = await start(['-a', '127.0.0.1', '-p', String(port)]);
  let workers;
  try {
    workers = childrenOf(another.pid);
    assert.equal(workers.length, 1);
    for (const pid of [...workers, ...server.workerPids()]) assert.equal(fs.readdirSync(`/proc/${pid}/task`).length, 1);
  } finally { await another.stop(); }
  await until(() => workers.every((pid) => !fs.existsSync(`/proc/${pid}`)), 'the workers to end');
  server.output += another.said;
});

test('F11: a body that does not come, or comes drop by drop, is 408 and gives the worker back', options, async () => {
  for (const drip of [0, 150]) {
    const slow = new Peer(pages);
    await slow.send(begin(), record('params', pairs(posted(token, 'x'.repeat(5000)))), record('params'), record('stdin', 'grant_type='));
    const dripping = drip && setInterval(() => { slow.socket.write(record('stdin', 'x')); }, drip);
    assert.equal(await serves(pages), 200, 'the only worker serves the next request');
    const answer = await slow.answer();
    clearInterval(dripping);
    assert.equal(answer.status, 408, answer.raw);
    assert.match(answer.body, /too long to arrive/);
  }
});

test('F12: a worker that finds a request each time it looks ends all the same when it is asked to, and leaves the rest to the next', options, async () => {
  const form = 'x=y';
  const whole = [begin(), record('params', pairs(posted(`${api}/consent/submit`, form))), record('params'), record('stdin', form), record('stdin')];
  const [worker] = server.workerPids();
  const idle = sockets(worker);
  const slow = await new Peer(pages).send(...whole.slice(0, -1));
  await until(() => hasNewSocket(worker, idle), 'the worker to read the slow one');
  process.kill(worker, 'SIGTERM');
  const others = await Promise.all(Array.from({ length: 100 }, () => new Peer(pages).send(...whole)));
  await slow.send(record('stdin'));
  const ids = (await Promise.all([slow, ...others].map((peer) => peer.answer()))).map(({ body }) => JSON.parse(body).event_id);
  const own = ids.filter((id) => id.startsWith(ids[0].slice(0, 8)));
  assert.ok(own.length <= 16, `it answered ${own.length}`);
  assert.equal(new Set(ids).size, 101);
  await until(() => server.workerPids().length === 1 && server.workerPids()[0] !== worker, 'another worker');
});

test('F12: the master under spawn-fcgi starts another worker for one that died, and its log arrives', options, async () => {
  const [victim] = server.workerPids();
  process.kill(victim, 'SIGKILL');
  await until(() => server.workerPids().length === 1 && !server.workerPids().includes(victim), 'a new worker');
  assert.equal(await serves(pages), 200);
  assert.match(server.logs(), new RegExp(`event=worker_died .*worker=${victim}`));
});

for (const front of fronts.filter(({ name }) => name === 'Apache' || name === 'lighttpd')) {
  test(`F5 F11: behind ${front.name} one worker answers request after request, and a slow upload beside them`, { timeout: 240000 }, async () => {
    const behind = await startServerBehind();
    const one = await startFront(front, { guards: [{ at: '/mcp', port: behind.port }], workers: 1, env: { CONSENTGATE_BODY_TIMEOUT_MS: String(patience), CONSENTGATE_GATE_WORKERS: '1' } });
    try {
      const { token: good } = await journey(one);
      // On a connection of the client's that stays: what a web server would keep open to the worker
      // would be for these alone.
      for (let i = 0; i < 12; i += 1) {
        assert.equal((await send(one.base, 'GET', metadata)).status, 200);
        assert.equal((await send(one.base, 'POST', '/mcp', { headers: { Authorization: `Bearer ${good}`, 'Content-Type': 'application/json' }, body: '{}' })).status, 200);
      }
      const slow = net.connect(Number(new URL(one.base).port), '127.0.0.1');
      slow.on('error', () => { /* it may be closed at any moment */ });
      slow.write(`POST ${token} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 50000\r\n\r\n${'x'.repeat(30000)}`);
      const answers = await Promise.all(Array.from({ length: 6 }, () => send(one.base, 'GET', metadata)));
      slow.destroy();
      assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200, 200, 200, 200]);
    } finally { await one.stop(); await behind.stop(); }
  });
}

test('F5: no shipped file keeps connections to a worker, which would starve the others', () => {
  const names = ['apache', 'lighttpd', 'nginx', 'shared-hosting'].flatMap((folder) => fs.readdirSync(path.join(root, 'conf', folder)).map((name) => path.join('conf', folder, name)));
  assert.ok(names.length >= 13, names.join(' '));
  for (const name of [...names, 'examples/lighttpd.conf']) {
    const lines = fs.readFileSync(path.join(root, name), 'utf8').split('\n').filter((line) => !/^\s*#/.test(line));
    assert.deepEqual(lines.filter((line) => /enablereuse\s*=\s*on|fastcgi_keep_conn\s+on/i.test(line)), [], name);
  }
});
