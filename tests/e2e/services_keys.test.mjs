// Services where people have a plain API key: it is pasted on our page, tried once, and carried by
// each web server in the header of the service.
import assert from 'node:assert/strict';
import http from 'node:http';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { send } from './support/browser.mjs';
import { fronts, startFront } from './support/fronts.mjs';
import { beginConnection, choose, finish, startFlow } from './support/journey.mjs';
import { freePort } from './support/server.mjs';

const options = { timeout: 240000 };
const keys = new Map([['sk-anna', 'anna'], ['sk-berta', 'berta']]);
// A server that knows people by their key, and says whom it knows and what came.
let search;
before(async () => {
  const port = await freePort();
  const server = http.createServer((request, response) => {
    const user = keys.get(request.headers['x-api-key']);
    search.seen.push(request.headers['x-api-key']);
    response.writeHead(user ? 200 : 401, { 'Content-Type': 'application/json' }).end(JSON.stringify({ user, headers: request.headers, raw: request.rawHeaders }));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  server.unref();
  search = { port, url: `http://127.0.0.1:${port}/mcp`, seen: [], stop: () => new Promise((done) => { server.closeAllConnections(); server.close(done); }) };
}, options);
after(() => search?.stop());

// Connect leads to our own page, where the key is pasted. out: the answer
async function paste(flow, key) {
  const begun = await beginConnection(flow, 'search');
  assert.equal(begun.status, 302, begun.text);
  const address = new URL(begun.location);
  assert.equal(address.pathname, '/oauth/consent/key');
  const page = await flow.browser.get(address.pathname + address.search);
  assert.equal(page.status, 200, page.text);
  assert.match(page.headers['content-security-policy'], /form-action 'self'/);
  return flow.browser.post('/api/oauth/per-user/upstream/key', { state: address.searchParams.get('state'), key });
}

for (const front of fronts) {
  test(`XC9 RS7: ${front.name} carries each person's key in the header of the service, and nobody else's`, options, async () => {
    const server = await startFront(front, { guards: [{ at: '/mcp', port: search.port, service: 'search' }],
      prepare: (one) => one.admin('service', 'add', 'search', '--url', search.url, '--key-header', 'X-API-Key') });
    try {
      const shown = await server.admin('service', 'show', 'search', '--json');
      assert.deepEqual([shown.key_header, shown.key_test, shown.token_endpoint, shown.client_id], ['X-API-Key', search.url, '', '']);
      const signedIn = async (key) => {
        const flow = await startFlow(server);
        await choose(flow, { skip: true });
        assert.match((await paste(flow, 'sk-nobody')).location, /error=service_refused$/);
        assert.equal((await paste(flow, key)).location, `/oauth/consent/mcps?flow_id=${flow.flowId}#service-search`);
        return finish(server, flow);
      };
      for (const [key, user] of keys) {
        const token = await signedIn(key);
        const answer = await send(server.base, 'POST', '/mcp', { headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}`, 'X-API-Key': 'sk-berta' }, body: '{}' });
        assert.equal(answer.status, 200, answer.text);
        const { headers, raw } = answer.json();
        assert.equal(headers['x-api-key'], key);
        assert.equal(answer.json().user, user);
        assert.equal(raw.filter((name) => name.toLowerCase() === 'x-api-key').length, 1, raw.join());
        assert.ok(!raw.includes(`Bearer ${token}`) && !raw.includes(`Bearer ${key}`), raw.join());
        assert.ok(!JSON.stringify(answer.headers).includes(key), 'no client sees the key');
      }
      const [{ sealed }] = server.sql("SELECT hex(access_token) AS sealed FROM upstream_token WHERE service_id = 'search' LIMIT 1");
      for (const key of keys.keys()) assert.ok(!Buffer.from(sealed, 'hex').includes(key), 'no key is kept in clear');
      assert.ok(!server.logs().includes('sk-anna'));
    } finally { await server.stop(); }
  });
}

test('XC9: a service that takes wrong keys is not added, and another address of it can refuse them', options, async () => {
  const open = http.createServer((request, response) => { response.writeHead(request.url === '/me' && !keys.has(request.headers['x-api-key']) ? 403 : 200).end('{}'); });
  const port = await freePort();
  open.listen(port, '127.0.0.1');
  await once(open, 'listening');
  const server = await startFront(fronts[0], { guards: [{ at: '/mcp', port: search.port }] });
  const at = `http://127.0.0.1:${port}`;
  const add = (...more) => server.admin('service', 'add', 'open', '--url', `${at}/mcp`, '--key-header', 'X-API-Key', ...more);
  try {
    await assert.rejects(add(), ({ stderr }) => /status 200 to a key that was made up[^]*--key-test/.test(stderr));
    await assert.rejects(add('--key-test', `${at}/me`, '--client-id', 'x'), ({ stderr }) => /for services with OAuth/.test(stderr));
    await assert.rejects(server.admin('service', 'add', 'open', '--url', `${at}/mcp`, '--key-header', 'Cookie'), ({ stderr }) => /another meaning/.test(stderr));
    await add('--key-test', `${at}/me`);
    await server.admin('service', 'test', 'open');
    assert.equal((await server.admin('service', 'set', 'open', '--key-header', 'Api-Key', '--json')).key_header, 'Api-Key');
  } finally { await server.stop(); open.closeAllConnections(); open.close(); }
});
