// Groups that a token of Entra leaves out, asked for at a stand-in for Microsoft Graph. Its shapes
// are those that we know from Microsoft's documentation.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { startFalseProvider } from './support/false_provider.mjs';
import { postForm } from './support/browser.mjs';
import { api, register } from './support/journey.mjs';
import { startServer } from './support/server.mjs';
import { Person, tokensOf } from './support/signin.mjs';

const options = { timeout: 120000 };
const tenant = '72f988bf-86f1-41af-91ab-2d7cd011db47';
const first = '/v1.0/me/transitiveMemberOf';
let server, entra, elsewhere, client, graph;
before(async () => {
  [entra, elsewhere] = [await startFalseProvider({ at: `/${tenant}/v2.0` }), await startFalseProvider()];
  elsewhere.seen = 0;
  elsewhere.api = (url, request, response) => { elsewhere.seen += 1; response.writeHead(200).end('{"value":[]}'); return true; };
  entra.make = (claims) => entra.sign({ ...claims, tid: tenant, groups: undefined, _claim_names: { groups: 'src1' }, _claim_sources: { src1: { endpoint: `${elsewhere.issuer}/groups` } } });
  entra.api = (url, request, response) => {
    if (!url.pathname.startsWith('/v1.0/')) return false;
    graph.asked.push([url.pathname + url.search, request.headers.authorization]);
    const [status, body] = graph.answer(Number(url.searchParams.get('$skiptoken') ?? 0), url);
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    return true;
  };
  server = await startServer({ env: { IDENTITIES: '' } });
  const secret = path.join(server.var, 'entra.secret');
  fs.writeFileSync(secret, entra.secret, { mode: 0o600 });
  const added = await server.admin('idp', 'add', 'entra', '--preset', 'entra', '--issuer', entra.issuer, '--client-id', 'app', '--client-secret-file', secret, '--graph-groups', '--json');
  assert.deepEqual([added.graph_groups, added.scope], [true, 'openid email profile User.Read']);
  client = await register(server);
}, { timeout: 240000 });
after(async () => { await server?.stop(); await entra?.stop(); await elsewhere?.stop(); }, options);

const group = (id) => ({ '@odata.type': '#microsoft.graph.group', id });
const pages = (count, origin = () => entra.origin) => (at) => [200, { value: [group(`g${at}`), { '@odata.type': '#microsoft.graph.directoryRole', id: `role${at}` }],
  ...(at + 1 < count ? { '@odata.nextLink': `${origin()}/v1.0/users/1/transitiveMemberOf?$skiptoken=${at + 1}` } : {}) }];

// out: the answer of the callback, and the row of the person
async function signIn(answer) {
  graph = { asked: [], answer };
  const person = new Person(server, {}, 'anna');
  const flow = await person.begin(client);
  const sent = await person.start(flow, 'entra');
  const back = new URL((await fetch(sent.location, { redirect: 'manual' })).headers.get('location'));
  const came = await person.get(back.pathname + back.search);
  const [row] = server.sql('SELECT CAST(group_names AS TEXT) AS names, groups_known AS known FROM person');
  return { came, row };
}

test('SI55: of a person with too many groups Graph names all, page after page, and rules see them', options, async () => {
  await server.admin('access', 'allow', 'entra/group:g2');
  const { came, row } = await signIn(pages(3));
  assert.equal(came.status, 303, came.text);
  assert.deepEqual(row, { names: 'g0\ng1\ng2', known: 1 });
  assert.deepEqual(graph.asked.map(([target]) => target), [`${first}?$select=id&$top=999`, '/v1.0/users/1/transitiveMemberOf?$skiptoken=1', '/v1.0/users/1/transitiveMemberOf?$skiptoken=2']);
  for (const [, bearer] of graph.asked) assert.equal(bearer, 'Bearer an-access-token');
  assert.equal(elsewhere.seen, 0, 'what _claim_sources names is not asked');
  await server.admin('access', 'remove', '1');
});

test('SI55 SA28: where Graph does not tell all, or leads elsewhere, groups are unknown: no allow, and every deny', options, async () => {
  for (const answer of [() => [403, {}], () => [200, { value: {} }], pages(21), pages(2, () => elsewhere.issuer)]) {
    assert.deepEqual((await signIn(answer)).row, { names: null, known: 0 });
  }
  assert.equal(elsewhere.seen, 0, 'a page at another origin is not asked');
  assert.equal((await signIn(pages(20))).row.known, 1);
  await server.admin('access', 'deny', 'entra/group:other');
  assert.equal((await signIn(() => [500, {}])).came.status, 403);
  assert.equal((await signIn(pages(2))).came.status, 303);
});

test('SI55 SI58: when a person is looked at again without being there, Graph names their groups again', options, async () => {
  await server.admin('access', 'remove', '2');
  await server.admin('idp', 'set', 'entra', '--recheck', '1');
  const app = await register(server, { grant_types: ['authorization_code', 'refresh_token'] });
  graph = { asked: [], answer: pages(3) };
  const person = new Person(server, {}, 'anna');
  const flow = await person.begin(app);
  const back = new URL((await fetch((await person.start(flow, 'entra')).location, { redirect: 'manual' })).headers.get('location'));
  assert.equal((await person.get(back.pathname + back.search)).status, 303);
  let tokens = await tokensOf(flow);
  const refresh = async () => {
    server.sql('UPDATE person SET checked_at = checked_at - 3610');
    const answer = await postForm(server.base, `${api}/token`, { grant_type: 'refresh_token', refresh_token: tokens.refresh_token, client_id: app.client_id });
    assert.equal(answer.status, 200, answer.text);
    tokens = answer.json();
    return server.sql('SELECT CAST(group_names AS TEXT) AS names, groups_known AS known FROM person')[0];
  };
  graph = { asked: [], answer: pages(1) };
  assert.deepEqual(await refresh(), { names: 'g0', known: 1 });
  graph = { asked: [], answer: () => [503, {}] };
  assert.deepEqual(await refresh(), { names: 'g0', known: 1 }, 'what did not come whole changes nothing');
  assert.equal(graph.asked.length, 1);
});

test('SI55: Graph is not asked where the token names the groups, nor where the operator does not want it', options, async () => {
  const { make } = entra;
  entra.make = (claims) => entra.sign({ ...claims, tid: tenant, groups: ['g7'] });
  assert.deepEqual((await signIn(pages(1))).row, { names: 'g7', known: 1 });
  assert.deepEqual(graph.asked, []);
  entra.make = make;
  const set = await server.admin('idp', 'set', 'entra', '--no-graph-groups', '--json');
  assert.deepEqual([set.graph_groups, set.scope], [false, 'openid email profile offline_access']);
  await signIn(pages(1));
  assert.deepEqual(graph.asked, []);
});
