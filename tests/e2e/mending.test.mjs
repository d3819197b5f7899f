// A person's account that its service ended before its time: no client is led to the service, one
// refresh renews what can be renewed, and otherwise the person comes back to our page.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { App, personAt } from './support/app.mjs';
import { postForm, send } from './support/browser.mjs';
import { assertOauthError, challengeOf } from './support/checks.mjs';
import { fronts, startFront } from './support/fronts.mjs';
import { api, choose, connect as connectAt, redeem, register, startFlow, submit } from './support/journey.mjs';
import { foreign, startServerOfService } from './support/mcp_of_service.mjs';
import { realClients } from './support/real_clients.mjs';
import { freePort, plainFolder, until } from './support/server.mjs';
import { makeAuthority, signIn, startProvider } from './support/upstreams.mjs';

const options = { timeout: 240000 };
const tools = 'Consentgate-|Variable-';
let notion;
let behind;
let authority;

before(async () => {
  authority = makeAuthority();
  fs.chmodSync(path.dirname(authority.ca), 0o755); // on shared hosting the program is the web server's user
  notion = await startProvider({ authority });
  behind = await startServerOfService((token) => notion.whoIs(token));
}, options);
after(async () => { await behind?.stop(); await notion?.stop(); }, options);

// The person of these tests at a server behind this front.
class Town {
  constructor(server) { Object.assign(this, { server, reports: server.front.socket !== 'none' }); }

  connect(flow, user) { return connectAt(this.server, flow, 'notion', (address) => signIn(notion, address, user)); }

  async signIn(user, { at = '/mcp', client = this.client } = {}) {
    this.client = client ?? await register(this.server, { grant_types: ['authorization_code', 'refresh_token'] });
    const flow = await startFlow(this.server, { client: this.client, more: { resource: `${this.server.base}${at}` } });
    await choose(flow, { skip: true });
    if (at === '/mcp') await this.connect(flow, user);
    const answer = await redeem(this.server, flow, (await submit(flow)).sent().get('code'));
    assert.equal(answer.status, 200, answer.text);
    return answer.json();
  }

  call(token, more = {}, at = '/mcp') {
    return send(this.server.base, 'POST', at, { headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}`, ...more }, body: '{"jsonrpc":"2.0","id":1,"method":"tools/call"}' });
  }

  refresh(tokens) { return postForm(this.server.base, `${api}/token`, { grant_type: 'refresh_token', refresh_token: tokens.refresh_token, client_id: this.client.client_id }); }

  account() { return this.server.sql('SELECT doubted_at, broken_at, doubts, version FROM upstream_token WHERE ended_at IS NULL ORDER BY created_at DESC, rowid DESC LIMIT 1')[0]; }

  // As if the account had been connected a while ago.
  age() { this.server.sql('UPDATE upstream_token SET updated_at = updated_at - 600, doubts_since = doubts_since - 700'); }

  // The web server's word of the refusal has come, where one reports.
  async reported() { if (this.reports) await until(() => this.account().doubted_at ?? this.account().broken_at, 'the report of the refusal'); }
}

// At the service, the person's tokens end before their time.
const endAccessTokens = async () => { for (const one of notion.issued.splice(0)) await (await notion.provider.AccessToken.find(one))?.destroy(); };
async function endGrants() {
  for (const one of notion.issued.splice(0)) {
    const token = await notion.provider.AccessToken.find(one);
    if (!token) continue;
    await notion.provider.RefreshToken.revokeByGrantId(token.grantId);
    await token.destroy();
  }
}

const refreshes = () => notion.calls.token.refresh_token ?? 0;

function assertOurs(town, answer) {
  assert.equal(answer.status, 401, answer.text);
  const challenge = challengeOf(answer);
  assert.equal(challenge.resource_metadata, `${town.server.base}/.well-known/oauth-protected-resource/mcp`);
  assert.equal(challenge.error, 'invalid_token');
  const header = answer.headers['www-authenticate'];
  assert.ok(!header.includes('service.example') && !/Basic/.test(header) && header.match(/Bearer/g).length === 1, header);
  assert.match(answer.headers['access-control-expose-headers'] ?? '', /WWW-Authenticate/);
}

// The first event of a stream, and then, once it is there, the rest.
function stream(town, token) {
  return new Promise((done, fail) => {
    const request = http.get(`${town.server.base}/mcp`, { headers: { Accept: 'text/event-stream', Authorization: `Bearer ${token}`, 'X-Answer': 'stream' } }, (answer) => {
      let text = '';
      answer.on('data', (part) => { text += part; if (text === 'data: first\n\n') behind.more(); });
      answer.on('end', () => done({ status: answer.statusCode, text }));
    });
    request.on('error', fail);
  });
}

// One town for each front, which its first test starts.
const towns = new Map();
async function townAt(front) {
  const guards = [{ at: '/mcp', port: behind.port, service: 'notion' }, { at: '/plain', port: behind.port }];
  if (!towns.has(front)) towns.set(front, new Town(await startFront(front, { guards, env: { CONSENTGATE_SERVICE_CA: authority.ca }, prepare: (one) => one.admin('service', 'add', 'notion', '--url', notion.mcpUrl) })));
  return towns.get(front);
}
after(async () => { for (const { server } of towns.values()) await server.stop(); }, options);

for (const front of fronts) {
  let town;
  const start = async () => { town = await townAt(front); };

  test(`M1 M2: ${front.name} puts our challenge in place of a service's, and leaves all else as it is`, options, async () => {
    await start();
    const { access_token: token } = await town.signIn('anna');
    for (const kind of ['401', 'bare401', 'two401']) {
      assertOurs(town, await town.call(token, { 'X-Answer': kind }));
      town.server.sql('UPDATE upstream_token SET doubted_at = NULL, doubts = NULL, doubts_since = NULL');
    }
    const scope = await town.call(token, { 'X-Answer': 'scope403' });
    assert.deepEqual([scope.status, scope.headers['www-authenticate'], scope.text], [403, undefined, 'more rights']);
    for (const [kind, challenge, text] of [['other403', 'Negotiate', 'not you'], ['403', undefined, 'not you'], ['404', undefined, 'not here'], ['500', undefined, 'it broke']]) {
      const answer = await town.call(token, { 'X-Answer': kind });
      assert.deepEqual([answer.status, answer.headers['www-authenticate'], answer.text], [Number(kind.slice(-3)), challenge, text]);
    }
    const good = await town.call(token);
    assert.equal(good.status, 200, good.text);
    assert.equal(good.json().result.structuredContent.sub, 'anna');
    assert.ok(!Object.keys(good.headers).some((name) => new RegExp(tools, 'i').test(name)), JSON.stringify(good.headers));
    assert.ok(!Object.keys(behind.last().headers).some((name) => /again|call$/i.test(name)), 'nor does the server behind see them');
    assert.deepEqual(await stream(town, token), { status: 200, text: 'data: first\n\ndata: last\n\n' });
    const plain = await town.signIn('anna', { at: '/plain', client: await register(town.server) });
    const own = await town.call(plain.access_token, { 'X-Answer': '401' }, '/plain');
    assert.deepEqual([own.status, own.headers['www-authenticate']], [401, foreign], 'a server without a service has its own challenge');
  });

  // M4 where the web server reports nothing, on shared hosting.
  test(`M3 M4 P32: behind ${front.name} one refresh renews what the service ended, however many calls meet it`, options, async () => {
    await start();
    town.client = undefined;
    const tokens = await town.signIn('berta');
    assert.equal((await town.call(tokens.access_token)).status, 200);
    town.age();
    await endAccessTokens();
    const before = refreshes();
    const answers = await Promise.all(Array.from({ length: 20 }, () => town.call(tokens.access_token)));
    for (const answer of answers) {
      // Too many wait for the one refresh: these come again.
      if (answer.status === 503) assert.ok(Number(answer.headers['retry-after']) >= 1);
      else if (answer.status !== 200) assertOurs(town, answer);
    }
    assert.ok(answers.some(({ status }) => status === 401));
    if (town.reports) await until(() => town.account().doubted_at || refreshes() > before, 'the report of the refusal');
    const renewed = await town.refresh(tokens);
    assert.equal(renewed.status, 200, renewed.text);
    const retried = await town.call(renewed.json().access_token);
    assert.equal(retried.status, 200, retried.text);
    assert.equal(retried.json().result.structuredContent.sub, 'berta');
    assert.equal(refreshes(), before + 1);
  });

  test(`M5: behind ${front.name} an account that its service ended leads back to our page, which connects it again`, options, async () => {
    await start();
    town.client = undefined;
    const tokens = await town.signIn('carla');
    assert.equal((await town.call(tokens.access_token)).status, 200);
    town.age();
    await endGrants();
    assertOurs(town, await town.call(tokens.access_token));
    await town.reported();
    assertOauthError(await town.refresh(tokens), 400, 'invalid_grant');
    assertOurs(town, await town.call(tokens.access_token));
    const flow = await startFlow(town.server, { client: town.client });
    await choose(flow, { skip: true });
    await town.connect(flow, 'carla');
    assert.match((await flow.browser.get(`/oauth/consent/mcps?flow_id=${flow.flowId}`)).text, /Connect again/);
    const anew = (await redeem(town.server, flow, (await submit(flow)).sent().get('code'))).json();
    assert.equal((await town.call(anew.access_token)).status, 200);
    if (town.reports) await until(() => /what=connection_refused .*service=notion/.test(`${town.server.logs()}${town.server.gate.said}`), 'the audit event');
  });

  test(`M5 M3: behind ${front.name} the SDK comes back by itself, and ends at our page when it must`, options, async () => {
    await start();
    const app = new App(town.server);
    const begin = () => new StreamableHTTPClientTransport(new URL(town.server.resource), { authProvider: app });
    const answer = () => app.answer({ skip: true }, async (flow) => { await town.connect(flow, 'dora'); return submit(flow); });
    const session = async () => {
      const transport = begin();
      const client = new Client({ name: 'e2e', version: '1' });
      await client.connect(transport);
      return client;
    };
    const first = begin();
    await assert.rejects(new Client({ name: 'e2e', version: '1' }).connect(first), UnauthorizedError);
    await first.finishAuth((await answer()).get('code'));
    const client = await session();
    const whoami = async () => (await client.callTool({ name: 'whoami', arguments: {} })).structuredContent;
    assert.deepEqual(await whoami(), { sub: 'dora' });
    town.age();
    await endAccessTokens();
    const before = refreshes();
    assert.deepEqual(await whoami(), { sub: 'dora' }, 'it refreshes, tries again, and nobody is asked');
    assert.equal(refreshes(), before + 1);
    assert.equal(app.asked.length, 1);
    town.age();
    await endGrants();
    await assert.rejects(whoami());
    assert.equal(app.asked.length, 2);
    assert.equal(new URL(app.asked[1]).origin, town.server.base, 'to us, and not to the service');
    const last = begin();
    await last.finishAuth((await answer()).get('code'));
    assert.deepEqual((await (await session()).callTool({ name: 'whoami', arguments: {} })).structuredContent, { sub: 'dora' });
  });
}

// Programs of their own, which know nothing but our address. Some give up a call when its
// repetition is refused too; the next one then asks the person.
for (const kind of realClients.filter(({ name }) => ['version 2 of the SDK', 'mcp-remote'].includes(name))) {
  for (const front of fronts) {
    test(`M5 M3: behind ${front.name} ${kind.name} refreshes by itself, and leads the person to our page when it must`, { ...options, skip: kind.skip }, async () => {
      const town = await townAt(front);
      const home = plainFolder();
      const client = kind.open(town.server, home, await freePort());
      const asked = [];
      const person = (address) => {
        asked.push(new URL(address).origin);
        return personAt(town.server, address, { skip: true }, async (flow) => { await town.connect(flow, 'finn'); return submit(flow); });
      };
      try {
        assert.deepEqual(await client.call('whoami', person), { sub: 'finn' });
        town.age();
        await endAccessTokens();
        const before = refreshes();
        assert.deepEqual(await client.call('whoami', person), { sub: 'finn' }, 'nobody is asked');
        assert.equal(refreshes(), before + 1);
        assert.equal(asked.length, 1);
        town.age();
        await endGrants();
        assert.deepEqual(await client.call('whoami', person).catch(() => client.call('whoami', person)), { sub: 'finn' });
        assert.deepEqual(asked, [town.server.base, town.server.base], 'to us, and not to the service');
      } finally {
        await client.stop();
        fs.rmSync(home, { recursive: true, force: true });
      }
    });
  }
}

test('M7: a service that refuses each new token is left alone, and callers read why', options, async () => {
  const server = await startFront(fronts.find(({ name }) => name === 'nginx'), { guards: [{ at: '/mcp', port: behind.port, service: 'notion' }], env: { CONSENTGATE_SERVICE_CA: authority.ca }, prepare: (one) => one.admin('service', 'add', 'notion', '--url', notion.mcpUrl) });
  const town = new Town(server);
  try {
    const { access_token: token } = await town.signIn('emil');
    for (let refused = 1; refused <= 4; refused += 1) {
      assertOurs(town, await town.call(token, { 'X-Answer': '401' }));
      await until(() => town.account().doubts === refused, `report ${refused}`);
    }
    const before = refreshes();
    const answer = await town.call(token);
    assert.equal(answer.status, 403, answer.text);
    assert.equal(answer.headers['www-authenticate'], undefined);
    assert.match(answer.json().error_description, /refuses this person's account/);
    server.sql('UPDATE upstream_token SET doubted_at = doubted_at - 600, doubts_since = doubts_since - 600');
    assert.equal((await town.call(token)).status, 200);
    assert.equal(refreshes(), before + 1);
  } finally { await server.stop(); }
});

test('M10: the doctor says when the gate does not hear what becomes of calls', options, async () => {
  const server = await startFront(fronts.find(({ name }) => name === 'nginx'), { guards: [{ at: '/mcp', port: behind.port, service: 'notion' }], env: { CONSENTGATE_SERVICE_CA: authority.ca }, prepare: (one) => one.admin('service', 'add', 'notion', '--url', notion.mcpUrl) });
  const town = new Town(server);
  const doctor = async () => (await server.admin('doctor', '--json').catch(({ stdout }) => JSON.parse(stdout))).filter(({ finding }) => /becomes? of (it|calls|them)/.test(finding));
  try {
    const { access_token: token } = await town.signIn('frida');
    assert.equal((await town.call(token)).status, 200);
    await until(async () => (await doctor())[0]?.finding === 'the web server reports what becomes of calls', 'the reports');
    fs.rmSync(path.join(server.var, 'calls.sock'));
    const [gone] = await doctor();
    assert.equal(gone.verdict, 'note');
    assert.match(gone.finding, /calls\.sock: No such file/);
    assert.match(gone.fix, /call_log_socket/);
    assert.equal((await town.call(token)).status, 200, 'calls pass all the same');
  } finally { await server.stop(); }
});
