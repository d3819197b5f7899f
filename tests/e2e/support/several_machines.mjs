// The consent journey from one end to the other, each step at the next web machine, whatever the
// database. machines: an array of servers over one database, with number(statement) (machines.mjs)
import assert from 'node:assert/strict';
import { olderRedemption, olderRefreshes } from './aging.mjs';
import { Browser, postForm, send } from './browser.mjs';
import { assertOauthError } from './checks.mjs';
import { api, choose, codeFor, connect, post, redeem, register, rpc, startFlow, submit, whoami } from './journey.mjs';
import { via } from './machines.mjs';
import { signIn, startProvider } from './upstreams.mjs';

const asProgram = { Accept: 'application/json' };

// A whole sign-in whose every request goes to the next machine. out: what journey() gives
export async function wander(machines, { identity = { skip: true }, client, more } = {}) {
  let step = 0;
  const next = () => machines[step++ % machines.length];
  const flow = await startFlow(next(), { client: client ?? await register(next()), more });
  const look = async (page) => assert.equal((await via(next(), flow).browser.get(`${page}?flow_id=${flow.flowId}`)).status, 200);
  await look('/oauth/consent');
  await choose(via(next(), flow), identity);
  await look('/oauth/consent/mcps');
  const submitted = await submit(via(next(), flow));
  assert.equal(submitted.status, 302, submitted.text);
  const code = submitted.sent().get('code');
  const answer = await redeem(next(), flow, code);
  assert.equal(answer.status, 200, answer.text);
  return { ...flow, submitted, code, token: answer.json().access_token };
}

// Whether the token is good: the same at every machine.
export async function isGood(machines, token) {
  const answers = await Promise.all(machines.map((machine) => rpc(machine, token, 'tools/list')));
  const [first, ...others] = answers.map(({ status }) => status);
  for (const status of others) assert.equal(status, first, 'the machines disagree about a token');
  assert.ok([200, 401].includes(first), answers[0].text);
  return first === 200;
}

// Every kind of identity signs in, and every machine knows whose the token is.
export async function everyIdentity(machines) {
  const key = await machines[0].addKey('Anna, "laptop"; \u{1F511}');
  // Values that drivers tend to cut, to fold or to take for an end: four-byte letters, quotes, 255
  // bytes.
  const names = ['ada', "O'Brien \\ \"x\" ; -- %s {d}", '\u{1F98A}'.repeat(63), 'a'.repeat(255), 'Ada ', 'ADA'];
  const all = [[{ virtualKey: key.virtual_key }, 'virtual_key', 'Anna, "laptop"; \u{1F511}'], [{ skip: true }, 'skipped', ''],
    ...names.map((userId) => [{ userId }, 'user_id', userId.trim()])];
  for (const [identity, kind, name] of all) {
    const { token } = await wander(machines, { identity });
    for (const machine of machines) {
      const { identity_kind: shownKind, identity: shownName } = await whoami(machine, token);
      assert.deepEqual([shownKind, shownName], [kind, name]);
    }
  }
}

// A client's values come back to it byte by byte, however long.
export async function longValues(machines) {
  for (const state of ['s', ` '"\\;%00 \u{1F98A}`, 'x'.repeat(255), 'x'.repeat(256), 'y'.repeat(1024), 'z'.repeat(8000)]) {
    const redirect = `http://127.0.0.1:53111/${'r'.repeat(state.length % 1900)}?own=1`;
    const client = await register(machines[0], { redirect_uris: [redirect], client_name: state.slice(0, 200).trim() });
    const { submitted } = await wander(machines, { client, more: { state } });
    assert.ok(submitted.location.startsWith(redirect));
    assert.deepEqual(submitted.sent().getAll('state'), [state]);
  }
}

// A flow and a code that were used once are used up at every machine, and after a replay that comes
// later so is the session.
export async function usedUp(machines) {
  const done = await wander(machines, { identity: { userId: 'ada' } });
  for (const machine of machines) assert.equal((await submit(via(machine, done), asProgram)).json().error.code, 'flow_already_submitted');
  assert.equal(await isGood(machines, done.token), true);
  const replay = async () => { for (const machine of machines) assertOauthError(await redeem(machine, done, done.code), 400, 'invalid_grant'); };
  await replay();
  assert.equal(await isGood(machines, done.token), true, 'a code that comes twice in one moment ends nothing');
  await machines.change(olderRedemption(done));
  await replay();
  assert.equal(await isGood(machines, done.token), false, 'a replayed code ends its session');
}

// A used refresh token comes late at any machine and gets its successor, five times however many
// ask at once; one time more ends the session everywhere.
export async function lateRepeats(machines) {
  const client = await register(machines[0], { grant_types: ['authorization_code', 'refresh_token'] });
  const turn = (at) => machines[at % machines.length];
  const refresh = (at, token) => postForm(turn(at).base, `${api}/token`, { grant_type: 'refresh_token', client_id: client.client_id, refresh_token: token });
  for (let round = 0; round < 5; round += 1) {
    const flow = await codeFor(turn(round), { client });
    let { refresh_token: token } = (await redeem(turn(round), flow, flow.code)).json();
    let pair;
    for (let link = 0; link < 3; link += 1) { // a chain: each of its tokens is repeated late by two processes at once
      pair = (await refresh(link, token)).json();
      await machines.change(olderRefreshes(flow));
      const late = await Promise.all([refresh(link, token), refresh(link + 1, token)]);
      for (const answer of late) assert.deepEqual([answer.status, answer.json().refresh_token, answer.json().access_token], [200, pair.refresh_token, pair.access_token]);
      [token, pair.used] = [pair.refresh_token, token];
    }
    const many = await Promise.all(Array.from({ length: 10 }, (_, at) => refresh(at, pair.used))); // two of the five are gone
    assert.equal(many.filter(({ status }) => status === 200).length, 3);
    for (const answer of many) if (answer.status === 200) assert.equal(answer.json().refresh_token, pair.refresh_token); else assertOauthError(answer, 400, 'invalid_grant');
    assert.equal(await isGood(machines, pair.access_token), false, 'the sixth is a replay, which ends the session');
    for (const at of machines.keys()) assertOauthError(await refresh(at, pair.refresh_token), 400, 'invalid_grant');
  }
}

// A mistake at one machine costs nothing at the next.
export async function mistakes(machines) {
  const [first, last] = [machines[0], machines.at(-1)];
  const flow = await codeFor(first);
  assertOauthError(await redeem(last, flow, flow.code, { code_verifier: 'wrongverifier'.repeat(5) }), 400, 'invalid_grant');
  assert.equal((await redeem(first, flow, flow.code)).status, 200);
  const open = await startFlow(first);
  const stranger = { ...open, browser: new Browser(last.base, last.issuer) };
  assert.equal((await submit(stranger, asProgram)).json().error.code, 'browser_mismatch');
  assert.match((await post(via(last, open), 'vk', { vk: `sk-bf-${'x'.repeat(43)}` })).location, /error=invalid_virtual_key$/);
  const denied = await post(via(last, open), 'deny');
  assert.deepEqual([denied.sent().get('error'), denied.sent().get('state'), denied.sent().get('iss')], ['access_denied', 'a state', first.issuer]);
  assert.equal((await submit(via(first, open), asProgram)).json().error.code, 'invalid_flow');
}

// consentgate-admin of one machine rules the sessions of all.
export async function administration(machines) {
  const [first, last] = [machines[0], machines.at(-1)];
  await first.admin('service', 'add', 'elsewhere', '--url', 'http://127.0.0.1:9/mcp', '--authorization-endpoint', 'http://127.0.0.1:9/a',
    '--token-endpoint', 'http://127.0.0.1:9/t', '--client-id', 'ours');
  const key = await first.addKey('short lived', '--service', 'elsewhere');
  const byKey = await wander(machines, { identity: { virtualKey: key.virtual_key } });
  const client = JSON.parse(await last.admin('client', 'add', 'Vouched for', '--redirect-uri', 'http://127.0.0.1:53111/callback', '--json').then((shown) => JSON.stringify(shown)));
  const byClient = await wander(machines, { client });
  const listed = await last.admin('session', 'list', '--json');
  assert.ok(listed.some((session) => session.identity === 'short lived'));
  assert.deepEqual([await isGood(machines, byKey.token), await isGood(machines, byClient.token)], [true, true]);
  await last.admin('key', 'disable', key.id, '--yes');
  await first.admin('client', 'disable', client.client_id);
  assert.deepEqual([await isGood(machines, byKey.token), await isGood(machines, byClient.token)], [false, false]);
  assert.equal((await last.admin('key', 'list', '--json')).find(({ id }) => id === key.id).active, false);
  for (const machine of machines) {
    await machine.admin('migrate');
    await machine.admin('sweep');
    assert.equal((await send(machine.base, 'GET', '/readyz')).status, 200);
  }
}

// Strangers who signed in while anyone could are out by their next request, at every machine and
// every door, once nobody lets them in; and go on once somebody does.
export async function strangersOut(machines) {
  const [first, last] = [machines[0], machines.at(-1)];
  // Two resources: one is called, the other's server asks for its callers' tokens at a service.
  const asking = `${first.issuer}/asking`;
  await first.admin('service', 'add', 'nowhere', '--url', 'http://127.0.0.1:9/mcp', '--authorization-endpoint', 'http://127.0.0.1:9/authorize', '--token-endpoint', 'http://127.0.0.1:9/token', '--client-id', 'us');
  const credentials = async (...words) => {
    const { id, secret } = await first.admin('resource', 'add', ...words, '--json');
    return { client_id: id, client_secret: secret };
  };
  const [called, server] = [await credentials(first.resource), await credentials(asking, '--service', 'nowhere')];
  for (const machine of machines) await machine.letIn('any');
  const client = await register(first, { grant_types: ['authorization_code', 'refresh_token'] });
  const people = [];
  for (const identity of [{ skip: true }, { userId: 'ada' }]) {
    const [one, other] = [await codeFor(first, { client, identity }), await codeFor(first, { client, identity, more: { resource: asking } })];
    people.push({ tokens: (await redeem(last, one, one.code)).json(), subject: (await redeem(last, other, other.code)).json().access_token });
  }
  const ask = async (machine, path, form) => (await postForm(machine.base, `${api}/${path}`, form)).json();
  const doors = async (machine, { tokens, subject }) => [
    (await rpc(machine, tokens.access_token, 'tools/list')).status,
    (await ask(machine, 'introspect', { token: tokens.access_token, ...called })).active,
    (await ask(machine, 'token', { grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', subject_token: subject, subject_token_type: 'urn:ietf:params:oauth:token-type:access_token', audience: 'nowhere', ...server })).error,
  ];
  const refresh = (machine, { tokens }) => ask(machine, 'token', { grant_type: 'refresh_token', refresh_token: tokens.refresh_token, client_id: client.client_id });
  const each = async (check) => { for (const person of people) for (const machine of machines) await check(machine, person); };
  await each(async (machine, person) => assert.deepEqual(await doors(machine, person), [200, true, 'interaction_required']));
  for (const machine of machines) await machine.letIn('');
  await each(async (machine, person) => {
    assert.deepEqual(await doors(machine, person), [401, false, 'invalid_request']);
    assert.equal((await refresh(machine, person)).error, 'invalid_grant');
  });
  assert.match(await first.check(), /refused[^]*: [0-9]+ skipped, [0-9]+ user_id/);
  for (const machine of machines) await machine.letIn('any');
  await each(async (machine, person) => assert.deepEqual(await doors(machine, person), [200, true, 'interaction_required']));
  for (const person of people) assert.ok((await refresh(last, person)).access_token);
}

// Upstream tokens of a flow become its session's, at whichever machine it is submitted, and other
// flows keep theirs.
// in: ask(statement)  the first column of the first row of an answer of the database
export async function upstreamTokens(machines, ask) {
  const [first, last] = [machines[0], machines.at(-1)];
  const provider = await startProvider({ authority: machines.authority });
  try {
    await first.admin('service', 'add', 'notes', '--url', provider.mcpUrl);
    const connected = async (user) => {
      const flow = await startFlow(first);
      await choose(flow, { skip: true });
      const back = await connect(first, flow, 'notes', (address) => signIn(provider, address, user));
      assert.equal(back.location, `/oauth/consent/mcps?flow_id=${flow.flowId}#service-notes`, back.text);
      return { flow, id: await ask(`SELECT id FROM upstream_token WHERE owner = 'flow:${flow.flowId}'`) };
    };
    const [mine, theirs] = [await connected('anna'), await connected('berta')];
    const ownerOf = ({ id }) => ask(`SELECT owner FROM upstream_token WHERE id = '${id}'`);
    assert.equal((await submit(via(last, mine.flow))).status, 302);
    assert.equal(await ownerOf(mine), `session:${await ask(`SELECT id FROM session WHERE flow_id = '${mine.flow.flowId}'`)}`);
    assert.equal(await ownerOf(theirs), `flow:${theirs.flow.flowId}`);
    await post(via(last, theirs.flow), 'deny');
    // The denied flow's tokens have no owner, and wait until their service has revoked them.
    assert.equal(await machines.number(`SELECT count(*) FROM upstream_token WHERE id = '${theirs.id}' AND owner NOT LIKE 'ended:%'`), 0);
  } finally {
    await provider.stop();
  }
}
