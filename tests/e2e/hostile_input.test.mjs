// Input made to break things: the answer is 4xx, never 5xx, and no worker dies of it.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Browser, form, formType, postForm, postJson, send, sendRaw } from './support/browser.mjs';
import { api, codeFor, journey, loopback, pkce, post, redeem, register, startFlow, submit } from './support/journey.mjs';
import { startServer } from './support/server.mjs';

const steps = ['vk', 'user-id', 'skip', 'deny', 'submit'];
const forms = [...steps.map((step) => `${api}/consent/${step}`), `${api}/token`];
const gets = ['/oauth/consent', '/oauth/consent/mcps', `${api}/authorize`, '/.well-known/oauth-authorization-server', '/.well-known/oauth-protected-resource/mcp', '/healthz', '/mcp'];
let server;
let pids;
let flow;

function assertRefused(answer, what) {
  assert.ok(answer.status >= 400 && answer.status < 500, `${what}: ${answer.status} ${answer.text.slice(0, 200)}`);
  assert.doesNotMatch(answer.text, /sqlite|Poco|exception|\/src\//i, what);
}
function assertNotBroken(answer, what) { assert.ok(answer.status >= 200 && answer.status < 500, `${what}: ${answer.status} ${answer.text.slice(0, 200)}`); }
const statusOf = (text) => Number(/^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1] ?? 0);

// A small generator with a seed, so that a failure can be seen again.
function generator(seed) {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 4294967296) * limit);
  };
}

before(async () => { server = await startServer(); pids = server.workerPids(); assert.equal(pids.length, 4); flow = await startFlow(server); }, { timeout: 240000 });
afterEach(() => { assert.deepEqual(server.workerPids(), pids, 'a worker died'); });
after(async () => { await server?.stop(); }, { timeout: 120000 });

test('S16: forms that are oversized, broken, repeated or not UTF-8 are 4xx at every step', async () => {
  const bodies = ['a'.repeat(70000), `flow_id=${'x'.repeat(65000)}`, 'flow_id=%', 'flow_id=%4', 'flow_id=%zz', 'flow_id=%ff%fe', 'flow_id=%00', 'flow_id=%c0%af', 'flow_id=%ed%a0%80', '&'.repeat(60000), 'a=b&'.repeat(15000), '='.repeat(5000),
    'flow_id', 'flow_id=a&flow_id=b', 'flow_id[]=a', 'flow_id=a;flow_id=b', Buffer.from([0xff, 0x00, 0xfe, 0x3d, 0x80]), Buffer.alloc(1000), '{"flow_id":"x"}', 'FLOW_ID=x', '%66low_id=%41'];
  for (const target of forms) {
    for (const body of bodies) {
      const answer = await send(server.base, 'POST', target, { headers: { ...formType, Cookie: flow.browser.headers().Cookie }, body });
      assertRefused(answer, `${target} ${String(body).slice(0, 30)}`);
    }
  }
});

test('S16: identities that are broken are refused and the flow can still be finished', async () => {
  const here = await startFlow(server);
  for (const [step, name] of [['user-id', 'user_id'], ['vk', 'vk']]) {
    for (const value of ['%ff', '%00', 'a%00b', '%c3%28', '%ed%a0%80', '%f4%90%80%80', 'x'.repeat(60000), `a&${name}=b`]) {
      const answer = await here.browser.post(`${api}/consent/${step}`, `flow_id=${here.flowId}&${name}=${value}`);
      assert.ok(answer.status === 302 ? /error=invalid_/.test(answer.location) : answer.status >= 400 && answer.status < 500, `${name}=${value.slice(0, 20)}: ${answer.status} ${answer.location}`);
    }
  }
  assert.equal((await submit(here)).status, 302);
});

test('S16: broken, deep, huge and wrongly typed JSON at registration is 400 or 413', async () => {
  const wrong = [null, 7, 1e308, true, 'x', [], {}, [[loopback]], { a: 1 }, [null], '\u0000', [7], [{}]];
  const bodies = ['', '{', '[', '{"redirect_uris":', '{"redirect_uris":["http://127.0.0.1/"]', 'nul', '\u0000', '{"a":1e999}', '[1,', '{"redirect_uris":["\\ud800"]}', '{"redirect_uris":["http://127.0.0.1/\\u0000"]}', `${'['.repeat(30000)}${']'.repeat(30000)}`, '['.repeat(60000),
    '{"a":'.repeat(10000), `{"redirect_uris":${'['.repeat(5000)}${']'.repeat(5000)}}`, Buffer.from('{"redirect_uris":["http://127.0.0.1/\xff"]}', 'latin1'), 'x'.repeat(70000), `{"a":"${'x'.repeat(1000000)}"}`, ...wrong.map((value) => JSON.stringify({ redirect_uris: value }))];
  for (const body of bodies) assertRefused(await send(server.base, 'POST', `${api}/register`, { headers: { 'Content-Type': 'application/json' }, body }), String(body).slice(0, 40));
});

test('S16: every member of a registration may have the wrong type without harm', async () => {
  const names = ['client_name', 'grant_types', 'response_types', 'scope', 'token_endpoint_auth_method', 'application_type', 'client_uri', 'logo_uri', 'contacts', 'jwks', 'jwks_uri', 'software_id', 'software_version', 'software_statement'];
  for (const name of names) {
    for (const value of [null, 7, -1, 1.5, true, '', 'x', [], {}, [7], [null], [[]], 'x'.repeat(60000), '\u0000', '\ud800']) {
      assertNotBroken(await postJson(server.base, `${api}/register`, { redirect_uris: [loopback], [name]: value }), `${name} ${JSON.stringify(value).slice(0, 30)}`);
    }
  }
  assertNotBroken(await postJson(server.base, `${api}/register`, `{"redirect_uris":["${loopback}"],"redirect_uris":["https://evil.test/"]}`), 'a repeated member');
});

test('S16: queries that are broken are 4xx or ignored at every address', async () => {
  const queries = ['%', '%zz', '%ff', '%00', 'flow_id=%ff', 'flow_id=%00', `flow_id=${'x'.repeat(7000)}`, 'flow_id=a&flow_id=b', 'a=b&'.repeat(1500), '?'.repeat(100), 'flow_id=../../../etc/passwd', "flow_id='%20OR%20''='", 'client_id=%ff&redirect_uri=%ff', 'state=%ff', '&&&=', 'error=%00'];
  for (const target of gets) {
    for (const text of queries) assertNotBroken(await send(server.base, 'GET', `${target}?${text}`), `${target}?${text.slice(0, 30)}`);
  }
});

test('S16: every authorization parameter may be broken without a 5xx', async () => {
  const client = await register(server);
  const good = { response_type: 'code', client_id: client.client_id, redirect_uri: loopback, code_challenge: pkce().challenge, code_challenge_method: 'S256', state: 's', scope: 'mcp', resource: server.resource, prompt: 'consent', response_mode: 'query' };
  for (const name of Object.keys(good)) {
    for (const value of ['%ff', '%00', '%0d%0aX-Evil:%201', '%c0%ae', '%', '%F0%9F%98%80', '+', `${'x'.repeat(7000)}`, '%22%3E%3Cscript%3E', '%ed%a0%80']) {
      const text = `${form(Object.entries(good).filter(([key]) => key !== name))}&${name}=${value}`;
      const answer = await send(server.base, 'GET', `${api}/authorize?${text}`);
      assertNotBroken(answer, `${name}=${value.slice(0, 20)}`);
      assert.equal(answer.headers['x-evil'], undefined);
      assert.doesNotMatch(answer.location ?? '', /[\r\n\u0000]/);
    }
  }
});

test('S16: cookies and headers that are huge or broken are 4xx or ignored', async () => {
  const target = `/oauth/consent?flow_id=${flow.flowId}`;
  const cookie = flow.browser.headers().Cookie;
  const headers = [{ Cookie: `a=${'x'.repeat(5000)}` }, { Cookie: 'a=b; '.repeat(800) }, { Cookie: 'consentgate_browser=%ff' }, { Cookie: 'consentgate_browser' }, { Cookie: '=;;=; =' }, { Cookie: `${cookie}; ${cookie}` }, { Cookie: 'consentgate_browser="' }, { Cookie: '\u00ff\u00fe' },
    { Accept: 'x'.repeat(5000) }, { Accept: ',;q=,;;/' }, { Accept: '*/*;q=9e999' }, { Origin: 'x'.repeat(5000) }, { 'Accept-Language': '\u00ff;q=z' }, { 'X-Forwarded-For': 'x'.repeat(5000) }, { 'Content-Type': 'x'.repeat(3000) }, { Authorization: `Bearer ${'x'.repeat(7000)}` }, { Authorization: '\u0080\u00ff' }];
  for (const more of headers) {
    assertNotBroken(await send(server.base, 'GET', target, { headers: more }), JSON.stringify(more).slice(0, 60));
    assertRefused(await postForm(server.base, `${api}/consent/submit`, { flow_id: flow.flowId }, { ...more, Cookie: more.Cookie?.includes(cookie) ? 'x=y' : more.Cookie ?? 'x=y' }), JSON.stringify(more).slice(0, 60));
    assertNotBroken(await postForm(server.base, `${api}/token`, { grant_type: 'authorization_code' }, more), JSON.stringify(more).slice(0, 60));
  }
});

test('S16: a header of a hundred thousand bytes and a line without end are refused by the front', async () => {
  const answer = await sendRaw(server.base, `GET /oauth/consent HTTP/1.1\r\nHost: x\r\nX-Big: ${'x'.repeat(100000)}\r\n\r\n`);
  assert.ok(statusOf(answer) === 0 || (statusOf(answer) >= 400 && statusOf(answer) < 500), answer.slice(0, 100));
  const many = await sendRaw(server.base, `GET /oauth/consent HTTP/1.1\r\nHost: x\r\n${'X-A: b\r\n'.repeat(5000)}\r\n`);
  assert.ok(statusOf(many) === 0 || (statusOf(many) >= 400 && statusOf(many) < 500), many.slice(0, 100));
});

test('S16: a body that is cut off finishes nothing', async () => {
  const here = await startFlow(server);
  const body = `flow_id=${here.flowId}`;
  const head = (length, extra = '') => `POST ${api}/consent/submit HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nCookie: ${here.browser.headers().Cookie}\r\nContent-Length: ${length}\r\n${extra}\r\n`;
  for (const [length, sent] of [[body.length + 10, body], [body.length, body.slice(0, 12)], [60000, ''], [1000, `${body}&padding=`]]) {
    const text = await sendRaw(server.base, head(length) + sent, { close: true, silence: 500 });
    assert.ok(![302, 500, 502].includes(statusOf(text)), text.slice(0, 200));
  }
  for (const length of ['-1', '99999999999999999999', 'x', '1e3', '+5']) {
    const text = await sendRaw(server.base, head(length) + body, { close: true, silence: 500 });
    assert.ok(statusOf(text) < 500, text.slice(0, 200));
  }
  assert.equal((await submit(here)).status, 302);
});

test('S16: a chunked form is read like any other, and broken chunks finish nothing', async () => {
  const here = await startFlow(server);
  const body = `flow_id=${here.flowId}`;
  const head = `POST ${api}/consent/submit HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\nCookie: ${here.browser.headers().Cookie}\r\nTransfer-Encoding: chunked\r\n\r\n`;
  for (const broken of ['zz\r\nabc\r\n0\r\n\r\n', `${body.length.toString(16)}\r\n${body}`, 'ffffffffffffffff\r\n']) {
    const text = await sendRaw(server.base, head + broken, { close: true, silence: 500 });
    assert.ok(statusOf(text) < 500 && statusOf(text) !== 302, text.slice(0, 200));
  }
  const whole = await sendRaw(server.base, `${head}${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`);
  assert.equal(statusOf(whole), 302, whole.slice(0, 300));
});

test('S16: odd methods, paths and protocol lines are 4xx', async () => {
  for (const line of ['FOO /oauth/consent HTTP/1.1', 'TRACE / HTTP/1.1', 'CONNECT x:1 HTTP/1.1', 'GET /oauth/consent HTTP/9.9', 'GET  HTTP/1.1', 'GET /oauth/%00 HTTP/1.1', 'GET /oauth/%ff%fe HTTP/1.1', `GET /oauth/${'a/'.repeat(3000)} HTTP/1.1`, 'GET /oauth/../../../etc/passwd HTTP/1.1', 'GET /oauth/%2e%2e/%2e%2e/etc/passwd HTTP/1.1', 'POST /oauth/consent HTTP/1.1', 'DELETE /api/oauth/per-user/token HTTP/1.1', 'GET http://evil.test/oauth/consent HTTP/1.1', '\x16\x03\x01\x02\x00', 'BREW']) {
    const text = await sendRaw(server.base, `${line}\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`, { silence: 1000 });
    const status = statusOf(text);
    assert.ok(status === 0 || (status >= 400 && status < 500) || status === 501 || status === 505, `${line.slice(0, 60)}: ${text.slice(0, 100)}`);
    assert.doesNotMatch(text, /root:/);
  }
});

test('S16: what the guarded example gets may be anything', async () => {
  const { token } = await journey(server);
  const bodies = ['', '{', '[]', 'null', '7', '"x"', '{}', '{"jsonrpc":"1.0","id":1,"method":"x"}', '{"jsonrpc":"2.0","id":{},"method":7}', `${'['.repeat(30000)}`, '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":7}', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":{}}}',
    '{"jsonrpc":"2.0","id":1,"method":"initialize","params":[]}', '{"jsonrpc":"2.0","id":1e400,"method":"ping"}', '{"jsonrpc":"2.0","method":"notifications/initialized"}', '\u0000', Buffer.from([0xff, 0xfe]), 'x'.repeat(100000)];
  for (const body of bodies) assertNotBroken(await send(server.base, 'POST', '/mcp', { headers: { 'Content-Type': 'application/json', Accept: 'application/json', Authorization: `Bearer ${token}` }, body }), String(body).slice(0, 60));
});

test('S16: six hundred requests with random damage bring no 5xx', { timeout: 240000 }, async () => {
  const random = generator(20240607);
  const client = await register(server);
  const here = await startFlow(server, { client });
  const coded = await codeFor(server, { client });
  const samples = [
    [`${api}/token`, form({ grant_type: 'authorization_code', code: coded.code.split('').reverse().join(''), client_id: client.client_id, redirect_uri: loopback, code_verifier: coded.proof.verifier }), 'application/x-www-form-urlencoded'],
    [`${api}/consent/user-id`, form({ flow_id: here.flowId, user_id: 'Ada Lovelace' }), 'application/x-www-form-urlencoded'],
    [`${api}/consent/vk`, form({ flow_id: here.flowId, vk: 'sk-bf-00000000' }), 'application/x-www-form-urlencoded'],
    [`${api}/register`, JSON.stringify({ client_name: 'x', redirect_uris: [loopback, 'https://client.example.test/cb'], grant_types: ['authorization_code'], scope: 'mcp' }), 'application/json'],
  ];
  for (let count = 0; count < 600; count += 1) {
    const [target, text, type] = samples[random(samples.length)];
    let bytes = Buffer.from(text);
    for (let cuts = 1 + random(4); cuts > 0; cuts -= 1) {
      const at = random(bytes.length + 1);
      const kind = random(4);
      if (kind === 0) bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from([random(256)]), bytes.subarray(at)]);
      else if (kind === 1) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.min(bytes.length, at + 1 + random(8)))]);
      else if (kind === 2 && bytes.length) bytes[Math.min(at, bytes.length - 1)] = random(256);
      else bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(random(bytes.length + 1))]);
    }
    const answer = await send(server.base, 'POST', target, { headers: { 'Content-Type': type, Cookie: here.browser.headers().Cookie }, body: bytes });
    assertNotBroken(answer, `request ${count} to ${target}: ${bytes.toString('base64')}`);
  }
  assert.equal((await redeem(server, coded, coded.code)).status, 200);
});

test('S16: after all this a whole sign-in works and the log has no failure of ours', async () => {
  await journey(server, { browser: new Browser(server.base), identity: { userId: 'ada' } });
  assert.equal((await post(flow, 'deny')).status, 302);
  assert.deepEqual(server.logs().split('\n').filter((line) => /status=5\d\d|error=server_error/.test(line)), []);
});
