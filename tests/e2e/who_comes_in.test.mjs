// A stranger meets every web server with the configuration as it is shipped. They walk up to it,
// then somebody with a key does, then a stranger where the operator lets in anyone.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { htmlAccept, send } from './support/browser.mjs';
import { fronts, startFront } from './support/fronts.mjs';
import { journey, post, startFlow } from './support/journey.mjs';
import { startServerBehind } from './support/mcp_behind.mjs';
import { loneMachine } from './support/machines.mjs';
import { reload, startServer } from './support/server.mjs';
import { strangersOut } from './support/several_machines.mjs';

const options = { timeout: 240000 };
const byDefault = { IDENTITIES: '' };
let behind;
before(async () => { behind = await startServerBehind(); }, options);
after(async () => { await behind?.stop(); }, options);

const call = (server, token) => send(server.base, 'POST', '/mcp', { headers: { 'Content-Type': 'application/json', ...(token ? { Authorization: `Bearer ${token}` } : {}) }, body: '{}' });
const findings = (server) => server.admin('doctor', '--json').catch((error) => JSON.parse(error.stdout));
// The programs that serve read the configuration anew.
async function letIn(server, identities) {
  server.writeIdentities(identities);
  await reload(server.masterPid(), ...(server.gate ? [server.gate.pid] : []));
  if (server.gate) return;
  await server.web.stop(); // which started them
  await server.startWeb();
}

for (const front of fronts) {
  let server;
  const on = (what, run) => test(`${what}, behind ${front.name}`, options, run);

  on('XA1: as it is shipped, a stranger gets no token and no call, whatever they send', async () => {
    server = await startFront(front, { guards: [{ at: '/mcp', port: behind.port }], env: byDefault });
    const flow = await startFlow(server);
    const page = await flow.browser.get(`/oauth/consent?flow_id=${flow.flowId}`);
    assert.equal(page.status, 200);
    assert.match(page.text, /Nobody can sign in here yet[^]*consentgate-admin key add NAME/);
    assert.doesNotMatch(page.text, /consent\/(vk|user-id|skip)"/);
    const refused = { skip: 'identity_required', 'user-id': 'identity_not_allowed', vk: 'invalid_virtual_key', submit: 'identity_required', reuse: 'identity_required' };
    for (const [step, error] of Object.entries(refused)) {
      const answer = await post(flow, step, { user_id: 'x', vk: `sk-bf-${'x'.repeat(43)}` });
      assert.equal(answer.location, `/oauth/consent?flow_id=${flow.flowId}&error=${error}`, step);
    }
    assert.equal((await send(server.base, 'GET', '/oauth/consent/mcps', { headers: { Accept: htmlAccept } })).status, 400);
    for (const token of [undefined, 'x', `cgs_${'A'.repeat(43)}`]) assert.equal((await call(server, token)).status, 401);
    assert.deepEqual(server.sql('SELECT id FROM session'), []);
    const said = await findings(server);
    assert.ok(said.some(({ verdict, finding, fix }) => verdict === 'broken' && /^Nobody can come in/.test(finding) && fix === 'consentgate-admin key add NAME'), JSON.stringify(said));
  });

  on('XA1 XA2: who has a key comes in, is the only one offered to, and the doctor says that all is well', async () => {
    const { virtual_key: virtualKey } = await server.addKey('Anna');
    const flow = await startFlow(server);
    const page = await flow.browser.get(`/oauth/consent?flow_id=${flow.flowId}`);
    assert.match(page.text, /consent\/vk"/);
    assert.doesNotMatch(page.text, /consent\/(user-id|skip)"|Nobody can sign in/);
    const { token } = await journey(server, { identity: { virtualKey } });
    assert.equal((await call(server, token)).status, 200);
    const said = await findings(server);
    assert.deepEqual(said.filter(({ verdict }) => verdict === 'broken'), []);
    assert.ok(said.some(({ verdict, finding }) => verdict === 'ok' && finding === 'Only people with a virtual key can come in; 1 key is active.'));
    assert.ok(said.some(({ verdict, finding }) => verdict === 'ok' && /gets as far as page 1, which asks for a key$/.test(finding)), JSON.stringify(said));
    assert.match(await server.check(), /^Only people with a virtual key can come in; 1 key is active\.$/m);
  });

  on('XA1 XA2: with identities = any a stranger comes in, the doctor does too and says so, and both are out after the change', async () => {
    await letIn(server, 'any');
    const { token } = await journey(server, { identity: { skip: true } });
    assert.equal((await call(server, token)).status, 200);
    const before = server.sql('SELECT id FROM session WHERE revoked_at IS NULL').length;
    const said = await findings(server);
    assert.ok(said.some(({ verdict, finding }) => verdict === 'note' && finding.startsWith(`anyone on the Internet can call ${server.resource}: identities = any; a stranger got a session token`)), JSON.stringify(said));
    assert.equal(server.sql('SELECT id FROM session WHERE revoked_at IS NULL').length, before, 'the doctor gives its session back');
    await findings(server);
    assert.equal(server.sql("SELECT id FROM client WHERE CAST(name AS TEXT) = 'consentgate doctor'").length, 1, 'the doctor registers once');
    await letIn(server, 'user_id');
    const typed = await journey(server, { identity: { userId: 'ada' } });
    assert.ok((await findings(server)).some(({ finding }) => /identities = user_id; a stranger got a session token under a name that they typed/.test(finding)));
    await letIn(server, '');
    for (const old of [token, typed.token]) {
      const answer = await call(server, old);
      assert.equal(answer.status, 401);
      assert.match(answer.headers['www-authenticate'], /error="invalid_token"/);
    }
    assert.match(await server.check(), /refused[^]*: 1 skipped, 1 user_id/);
    await server.stop();
    server = undefined;
  });
}

test('XA1: strangers who signed in while anyone could are out by their next request, at every door, on SQLite', options, async () => {
  const server = await startServer();
  try {
    await strangersOut(loneMachine(server));
    // Without a database, as before `migrate`, the configuration alone says it.
    assert.match(await server.check({ CONSENTGATE_DATABASE: '/nowhere/at/all.db', CONSENTGATE_IDENTITIES: 'virtual_key' }), /^Only people with a virtual key can come in\.\n\(how many keys are active is not known: [^]*migrate\)$/m);
    assert.match(server.logs(), /event=admission pid=\d+ who="?Anyone who can open the pages can come in/);
    assert.match(server.logs(), /event=admission pid=\d+ who="?Nobody can come in/);
  } finally { await server.stop(); }
});

test('XA2: the demo says that everyone can sign in', options, async () => {
  const server = await startServer();
  try {
    assert.match(server.output, /Who can come in: Anyone who can open the pages can come in, without saying who they are \(identities = any\)\./);
  } finally { await server.stop(); }
});
