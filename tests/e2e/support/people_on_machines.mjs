// People of identity providers, each request at the next web machine, whatever the database: what
// their group gives them ends between any two steps when the group does, and what they connect is
// theirs alone. machines: an array of servers over one database (machines.mjs)
import assert from 'node:assert/strict';
import { postForm } from './browser.mjs';
import { assertOauthError } from './checks.mjs';
import { startIdentityProvider } from './identity_provider.mjs';
import { api, beginConnection, connect, inLanes, redeem, register, rpc, submit, whoami } from './journey.mjs';
import { sleep } from './server.mjs';
import { addProvider, page2, Person } from './signin.mjs';
import { signIn as signInAtService, startProvider } from './upstreams.mjs';

const refreshing = { grant_types: ['authorization_code', 'refresh_token'] };
const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange';
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';

// A browser behind a load balancer.
class Wanderer extends Person {
  constructor(machines, providers, user) {
    super(machines[0], providers, user);
    let step = 0;
    Object.defineProperty(this, 'base', { get: () => machines[(step += 1) % machines.length].base });
  }
}

let towns = 0;

// The server behind gets its credentials: other ones, where a case before has added it.
async function credentialsFor(machine, service) {
  const of = (await machine.admin('resource', 'list', '--json')).find(({ resource, active }) => active && resource === machine.resource);
  if (!of) {
    const { id, secret } = await machine.admin('resource', 'add', machine.resource, '--service', service, '--json');
    return { client_id: id, client_secret: secret };
  }
  const changes = await machine.admin('resource', 'set', machine.resource, '--service', service, '--rotate-secret', '--yes', '--json');
  return { client_id: of.id, client_secret: changes.find(({ member }) => member === 'secret').after };
}

// Two identity providers and a service at these machines for the length of `run(town)`.
async function withPeople(machines, people, run) {
  const [first] = machines;
  const idps = { corp: await startIdentityProvider({ people: people('corp') }), shop: await startIdentityProvider({ people: people('shop') }) };
  const diary = await startProvider({ authority: machines.authority });
  const service = `diary-${towns += 1}`;
  let step = 0;
  const next = () => machines[(step += 1) % machines.length];
  try {
    for (const [id, idp] of Object.entries(idps)) await addProvider(first, idp, id, id);
    await first.admin('service', 'add', service, '--url', diary.mcpUrl);
    const asking = await credentialsFor(first, service);
    const client = await register(first, refreshing);
    await run({
      ...idps, client, next, service,
      person: (user) => new Wanderer(machines, idps, user),
      begin: async (who, id = 'corp') => { const flow = await who.begin(client); return { flow, back: await who.signIn(flow, id) }; },
      connect: (flow, user) => connect(machines[0], flow, service, (address) => signInAtService(diary, address, user)),
      whoIs: (token) => diary.whoIs(token),
      exchange: (token) => postForm(next().base, `${api}/token`, { grant_type: exchangeGrant, subject_token: token, subject_token_type: accessTokenType, audience: service, ...asking }),
      introspect: async (token) => (await postForm(next().base, `${api}/introspect`, { token, ...asking })).json(),
      refresh: (token) => postForm(next().base, `${api}/token`, { grant_type: 'refresh_token', refresh_token: token, client_id: client.client_id }),
      call: async (token) => (await rpc(next(), token, 'tools/list')).status,
    });
  } finally {
    for (const id of Object.keys(idps)) await first.admin('idp', 'remove', id, '--yes');
    for (const one of [...Object.values(idps), diary]) await one.stop();
  }
}

// The provider says it in another browser, which is no part of the sign-in that goes on.
async function tell(town, groups) {
  town.corp.people.anna.groups = groups;
  const elsewhere = town.person('anna');
  await elsewhere.get('/oauth/sessions');
  assert.equal((await elsewhere.signIn(undefined)).location, '/oauth/sessions');
}

async function takeTheGroup(town) {
  const { flow: his } = await town.begin(town.person('ben'));
  const bens = (await redeem(town.next(), his, (await submit(his)).sent().get('code'))).json().access_token;
  const without = async (run) => {
    await tell(town, ['staff']);
    await run();
    assert.equal(await town.call(bens), 200, 'Ben is in it');
    await tell(town, ['staff', 'eng']);
  };
  const refused = (answer) => { assert.equal(answer.status, 403, answer.text); assert.doesNotMatch(answer.location ?? '', /code=/); };

  const anna = town.person('anna');
  const flow = await anna.begin(town.client);
  const back = await anna.wayBack(flow);
  await without(async () => {
    assert.equal((await anna.get(back)).location, `/oauth/consent/mcps?flow_id=${flow.flowId}`); // signing in at all is allowed
    refused(await page2(flow));
  });
  assert.equal((await page2(flow)).status, 200);
  await without(async () => refused(await beginConnection(flow, town.service)));
  const connected = await town.connect(flow, 'anna');
  assert.equal(connected.location, `/oauth/consent/mcps?flow_id=${flow.flowId}#service-${town.service}`, connected.text);
  await without(async () => refused(await submit(flow)));
  const code = (await submit(flow)).sent().get('code');
  assert.ok(code);
  await without(async () => assertOauthError(await redeem(town.next(), flow, code), 400, 'invalid_grant'));
  const { access_token: token, refresh_token: renewal } = (await redeem(town.next(), flow, code)).json();
  await without(async () => {
    for (let at = 0; at < 2; at += 1) {
      assert.equal(await town.call(token), 403);
      assert.deepEqual(await town.introspect(token), { active: false });
      assertOauthError(await town.exchange(token), 400, 'invalid_target');
      assertOauthError(await town.refresh(renewal), 400, 'invalid_grant');
      town.next(); // each of them at the other machine
    }
  });
  assert.equal(await town.call(token), 200, 'the session was kept');
  assert.equal((await town.introspect(token)).active, true);
  assert.equal(await town.whoIs((await town.exchange(token)).json().access_token), 'anna');
  assert.equal((await town.refresh(renewal)).status, 200);
}

// The group comes and goes while Anna presses Allow. Whatever lies within a time in which it was
// there, or was not, is answered so.
async function pressAllowMeanwhile(town, changes) {
  const { browser: anna } = (await town.begin(town.person('anna'))).flow;
  const spans = [];
  const pressed = [];
  let over = false;
  const press = async () => {
    while (!over) {
      const flow = await anna.begin(town.client);
      const from = performance.now();
      const { status, text } = await submit(flow);
      assert.ok([302, 403].includes(status), `${status} ${text}`);
      pressed.push({ from, to: performance.now(), there: status === 302 });
    }
  };
  const change = async () => {
    for (let at = 0; at < changes; at += 1) {
      const there = at % 2 === 1;
      await tell(town, there ? ['eng'] : ['staff']);
      const span = { there, from: performance.now() };
      await sleep(400);
      spans.push({ ...span, to: performance.now() });
    }
  };
  await Promise.all([press(), press(), press(), change().finally(() => { over = true; })]);
  const within = { true: 0, false: 0 };
  for (const one of pressed) {
    const span = spans.find(({ from, to }) => from <= one.from && one.to <= to);
    if (!span) continue;
    assert.equal(one.there, span.there, 'a press at a time when nothing changed');
    within[span.there] += 1;
  }
  assert.ok(within.true > 0 && within.false > 0, `too few presses: ${JSON.stringify(within)}`);
}

// in: run(town)  while the resource is the group's
function inTheGroup(machines, run) {
  const people = () => Object.fromEntries(['anna', 'ben'].map((name) => [name, { name, groups: ['eng'] }]));
  return withPeople(machines, people, async (town) => {
    const rule = await machines[0].admin('access', 'allow', 'corp/group:eng', '--resource', machines[0].resource, '--json');
    try { await run(town); } finally { await machines.at(-1).admin('access', 'remove', String(rule.number)); }
  });
}

// A person loses what a group allows between any two steps, at whichever machine, and gets it back
// with the group. Others keep it all the while.
export const groupTaken = (machines) => inTheGroup(machines, takeTheGroup);
export const groupThatFlickers = (machines, { changes = 8 } = {}) => inTheGroup(machines, (town) => pressAllowMeanwhile(town, changes));

// Two people for each name, with equal subjects and addresses, connect, call, renew and look at
// their page, all at once, each request at the next machine.
export function namesakesApart(machines, { names = 20 } = {}) {
  const all = Array.from({ length: names }, (_, at) => `person${at}`);
  const people = (id) => Object.fromEntries(all.map((name) => [name, { name: `${name} at ${id}`, email: `${name}@example.org`, email_verified: true }]));
  return withPeople(machines, people, async (town) => {
    const found = await inLanes(8, all.flatMap((name) => ['corp', 'shop'].map((id) => () => liveAs(town, name, id))));
    assert.equal(new Set(found).size, 2 * names);
  });
}

// out: the identity that the server behind reads
async function liveAs(town, name, id) {
  const account = `${name}-at-${id}`;
  const person = town.person(name);
  const { flow, back } = await town.begin(person, id);
  assert.equal(back.location, `/oauth/consent/mcps?flow_id=${flow.flowId}`, back.text);
  assert.equal((await town.connect(flow, account)).location, `/oauth/consent/mcps?flow_id=${flow.flowId}#service-${town.service}`);
  const tokens = (await redeem(town.next(), flow, (await submit(flow)).sent().get('code'))).json();
  const holder = async ({ access_token: token }) => town.whoIs((await town.exchange(token)).json().access_token);
  assert.equal(await holder(tokens), account);
  const renewed = await town.refresh(tokens.refresh_token);
  assert.equal(renewed.status, 200, renewed.text);
  assert.equal(await holder(renewed.json()), account);
  const { text } = await person.get('/oauth/sessions');
  const shown = new Set([...text.matchAll(/person\d+ at \w+/g)].map(([words]) => words));
  assert.deepEqual([...shown], [`${name} at ${id}`]);
  return (await whoami(town.next(), renewed.json().access_token)).identity;
}
