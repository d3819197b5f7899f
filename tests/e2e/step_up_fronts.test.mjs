// A refused call behind each web server, with the files as they are shipped: the status, the
// challenge and the body must be the same, because clients act on them. The last test compares.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { endAccessTokens } from './support/app.mjs';
import { send } from './support/browser.mjs';
import { challengeOf } from './support/checks.mjs';
import { fronts, startFront } from './support/fronts.mjs';
import { journey, loopback, startFlow } from './support/journey.mjs';
import { startServerBehind } from './support/mcp_behind.mjs';

const options = { timeout: 120000 };
const answers = new Map(); // by front: by case
const own = 'https://app.example';
const foreign = 'https://evil.example';
let behind;
before(async () => { behind = await startServerBehind(); }, options);
after(async () => { await behind?.stop(); }, options);

const describe = ({ base }, answer) => ({
  status: answer.status,
  challenge: answer.headers['www-authenticate']?.replaceAll(base, 'BASE').replaceAll(new URL(base).host, 'HOST'),
  type: answer.headers['content-type'],
  body: answer.text.replaceAll(new URL(base).host, 'HOST'),
  origin: answer.headers['access-control-allow-origin'],
  stored: answer.headers['cache-control'],
});

for (const front of fronts) {
  let server;
  const makes401 = front.socket === 'none'; // mod_fcgid, of every refusal but 403
  const call = (at, token, headers = {}) => send(server.base, 'POST', at, { headers: { 'Content-Type': 'application/json', ...(token ? { Authorization: `Bearer ${token}` } : {}), ...headers }, body: '{}' });
  const signIn = (at, scope, client) => journey(server, { client, more: { resource: `${server.base}${at}`, scope } });
  async function refused(name, answer, status) {
    assert.equal(answer.status, status, answer.text);
    answers.get(front.name)[name] = describe(server, answer);
    assert.ok(!Object.keys(answer.headers).some((header) => /^(variable|consentgate)-/i.test(header) && !(makes401 && /-(refused|challenge)$/.test(header.replace('consentgate_', '')))), JSON.stringify(answer.headers));
    assert.ok(answer.rawHeaders.filter((header) => /^www-authenticate$/i.test(header)).length <= 1, 'one challenge');
    return answer;
  }

  test(`P15: ${front.name} starts with two resources`, { timeout: 240000 }, async () => {
    answers.set(front.name, {});
    server = await startFront(front, { env: { CONSENTGATE_SCOPES: 'mcp=Use the tools;profile=Know your name;files=Change your files' },
      guards: [{ at: '/mcp', port: behind.port, words: ['--origins', own, '--name', 'Tools of Anna', '--documentation', 'https://docs.example/'] }, { at: '/wide', port: behind.port, scopes: 'mcp profile' }] });
  });

  test(`P13 C4: behind ${front.name} no token is 401 with the base scopes and without an error`, options, async () => {
    const answer = await refused('no token', await call('/wide'), 401);
    assert.deepEqual(challengeOf(answer), { resource_metadata: `${server.base}/.well-known/oauth-protected-resource/wide`, scope: 'mcp profile' });
    assert.equal(answer.json().error, 'unauthorized');
  });

  test(`C5 N11: behind ${front.name} an expired token is 401 with the gate's words`, options, async () => {
    const { token, client } = await signIn('/wide', 'mcp profile');
    assert.equal((await call('/wide', token)).status, 200);
    endAccessTokens(server, client.client_id);
    const answer = await refused('expired', await call('/wide', token), 401);
    assert.equal(challengeOf(answer).error, 'invalid_token');
    if (!makes401) assert.equal(answer.json().error, 'invalid_token');
  });

  test(`P15 P18 P19: behind ${front.name} a missing scope is one 403 that names all to sign in for, in words too, and the wider token passes`, options, async () => {
    const { token } = await signIn('/wide', 'files mcp');
    const reached = behind.seen.length;
    const answer = await refused('scope missing', await call('/wide', token), 403);
    assert.equal(behind.seen.length, reached);
    const challenge = challengeOf(answer);
    assert.deepEqual([challenge.error, challenge.scope, challenge.resource_metadata], ['insufficient_scope', 'mcp profile files', `${server.base}/.well-known/oauth-protected-resource/wide`]);
    const { error, error_description: words } = answer.json();
    assert.deepEqual([error, words], ['insufficient_scope', challenge.error_description]);
    assert.match(words, /profile \(Know your name\).*Sign in again/);
    const wider = await signIn('/wide', challenge.scope);
    assert.equal((await call('/wide', wider.token)).status, 200);
    const unticked = await signIn('/wide', 'mcp');
    assert.equal((await call('/wide', unticked.token)).status, 403);
  });

  test(`P17 P19: behind ${front.name} an app that can never have the scope learns who can change that, and sent nowhere`, options, async () => {
    const client = await server.admin('client', 'add', 'Narrow', '--redirect-uri', loopback, '--scopes', 'mcp', '--json');
    const { token } = await signIn('/wide', 'mcp', client);
    const reached = behind.seen.length;
    const answer = await refused('never', await call('/wide', token), 403);
    assert.equal(answer.headers['www-authenticate'], undefined);
    assert.equal(answer.json().error, 'forbidden');
    assert.match(answer.json().error_description, /profile \(Know your name\).*the operator of 127\.0\.0\.1/);
    assert.equal(behind.seen.length, reached);
  });

  test(`N4: behind ${front.name} a page of another origin is refused, with a good token and without one`, options, async () => {
    const { token } = await signIn('/mcp', 'mcp');
    const reached = behind.seen.length;
    for (const origin of [foreign, 'null']) {
      for (const bearer of [token, 'invented', undefined]) {
        const answer = await refused('foreign origin', await call('/mcp', bearer, { Origin: origin }), 403);
        assert.equal(answer.headers['www-authenticate'], undefined);
        assert.equal(answer.json().error, 'forbidden');
      }
    }
    assert.equal(behind.seen.length, reached);
    for (const headers of [{ Origin: own }, {}]) assert.equal((await call('/mcp', token, headers)).status, 200);
    assert.equal((await call('/mcp', undefined, { Origin: own })).status, 401);
    const { token: wide } = await signIn('/wide', 'mcp profile');
    assert.equal((await call('/wide', wide, { Origin: foreign })).status, 200, 'that resource takes any');
    const preflight = await send(server.base, 'OPTIONS', '/mcp', { headers: { Origin: foreign, 'Access-Control-Request-Method': 'POST' } });
    assert.equal(preflight.status, front.name === 'nginx' ? 204 : 403);
  });

  test(`C9 N11: behind ${front.name} a second token in the address is 400 with the gate's words`, options, async () => {
    const { token } = await signIn('/wide', 'mcp profile');
    const answer = await refused('two tokens', await call(`/wide?access_token=${token}`, token), makes401 ? 401 : 400);
    assert.equal(challengeOf(answer).error, 'invalid_request');
    if (!makes401) assert.match(answer.json().error_description, /one token/);
  });

  test(`N1 N2: behind ${front.name} the documents name each guarded server as the operator does`, options, async () => {
    const document = async (path) => (await send(server.base, 'GET', `/.well-known/${path}`)).json();
    const listed = (await server.admin('resource', 'list', '--json')).filter(({ active }) => active).map(({ resource }) => resource);
    assert.deepEqual((await document('oauth-authorization-server')).protected_resources.sort(), listed.sort());
    const mcp = await document('oauth-protected-resource/mcp');
    assert.deepEqual([mcp.resource_name, mcp.resource_documentation, 'resource_tos_uri' in mcp], ['Tools of Anna', 'https://docs.example/', false]);
    const flow = await startFlow(server, { more: { resource: `${server.base}/mcp` } });
    assert.match((await flow.browser.get(`/oauth/consent?flow_id=${flow.flowId}`)).text, /Tools of Anna/);
    const changes = ['--name', '', '--tos', 'https://docs.example/tos', '--origins', `${own}:443 http://LOCALHOST:6274`];
    const changed = await server.admin('resource', 'set', `${server.base}/mcp`, ...changes, '--json');
    assert.deepEqual(changed.map(({ member, before: old, after: now }) => [member, old, now]), [['name', 'Tools of Anna', ''], ['tos', '', 'https://docs.example/tos'], ['origins', own, `${own} http://localhost:6274`]]);
    assert.deepEqual(await server.admin('resource', 'set', `${server.base}/mcp`, ...changes, '--json'), []);
    assert.equal((await document('oauth-protected-resource/wide')).resource_name, `${new URL(server.base).host}/wide`);
  });

  test(`P15: ${front.name} and the gate stop cleanly`, options, async () => { await server?.stop(); });
}

test('N11 P15: all web servers tell the same, and shared hosting too where it can', () => {
  const { lighttpd, Apache, nginx, 'Apache on shared hosting': hosting } = Object.fromEntries(answers);
  const cases = Object.keys(lighttpd);
  assert.deepEqual(cases, ['no token', 'expired', 'scope missing', 'never', 'foreign origin', 'two tokens']);
  for (const name of cases) {
    assert.match(lighttpd[name].type, /^application\/json/);
    assert.equal(lighttpd[name].origin, '*');
    assert.deepEqual(Apache[name], lighttpd[name], name);
    assert.deepEqual(nginx[name], lighttpd[name], name);
    const { status, challenge, body, type, origin } = hosting[name];
    assert.deepEqual([challenge, type, origin], [lighttpd[name].challenge, lighttpd[name].type, '*'], name);
    if (lighttpd[name].status === 403) assert.deepEqual([status, body], [403, lighttpd[name].body], name);
  }
});
