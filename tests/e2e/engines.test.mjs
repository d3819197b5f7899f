// The consent journey and its races on every database server, through two web machines. On the
// Galera cluster each machine prefers a node of its own.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { postJson, send } from './support/browser.mjs';
import { startDatabases } from './support/databases.mjs';
import { api, loopback, register } from './support/journey.mjs';
import { startMachines } from './support/machines.mjs';
import { groupTaken, groupThatFlickers, namesakesApart } from './support/people_on_machines.mjs';
import { raceDenials, raceIdentities, raceRedemptions, raceSubmits, submitUnderLoad } from './support/races.mjs';
import { administration, everyIdentity, lateRepeats, longValues, mistakes, strangersOut, upstreamTokens, usedUp, wander } from './support/several_machines.mjs';
import { until } from './support/server.mjs';

const long = { timeout: 240000 };
const engines = [
  { name: 'PostgreSQL', kind: 'postgresql', orders: [[1], [1]] },
  { name: 'MariaDB', kind: 'mariadb', orders: [[1], [1]] },
  { name: 'a Galera cluster', kind: 'galera', orders: [[1, 2, 3], [2, 3, 1]] },
];

before(async () => {
  const starts = await Promise.allSettled(engines.map(async (engine) => {
    engine.databases = await startDatabases(engine.kind);
    engine.machines = await startMachines(engine.databases, engine.orders);
    engine.client = await register(engine.machines[0]);
  }));
  for (const { reason } of starts) if (reason) throw reason;
}, long);
after(async () => {
  await Promise.all(engines.map(async ({ databases, machines }) => { try { await machines?.stop(); } finally { await databases?.stop(); } }));
}, { timeout: 120000 });

// Gives our user in the database the right to write, or takes it.
async function mayWrite({ databases, kind }, may) {
  const [verb, user] = may ? ['GRANT', 'TO consentgate'] : ['REVOKE', 'FROM consentgate'];
  const on = kind === 'postgresql' ? 'ALL TABLES IN SCHEMA public' : 'consentgate.*';
  await databases.sql(1, `${verb} INSERT, UPDATE, DELETE ON ${on} ${user}`);
  // MariaDB asks for the rights of a connection when it begins.
  if (kind !== 'postgresql') for (const node of databases.nodes.keys()) await databases.sql(node + 1, 'KILL USER consentgate');
}

for (const engine of engines) {
  const { name } = engine;
  const on = (what, run) => test(`${what}, on ${name}`, long, run);

  on('S2: a sign-in with every kind of identity ends with a token that every machine knows as that person\'s', () => everyIdentity(engine.machines));
  on('S2 A16: state and redirect address come back byte by byte, however long', () => longValues(engine.machines));
  on('S2 T16: a flow and a code are used up at every machine, and a replay ends the session', () => usedUp(engine.machines));
  on('XE4 T22: a used refresh token that comes late gets its successor five times, at whichever machine, and then ends the session', () => lateRepeats(engine.machines));
  on('S2 T12: a wrong verifier, another browser, a wrong key and a denial are answered as on SQLite', () => mistakes(engine.machines));
  on('S11: disabling a key or a client with consentgate-admin at one machine ends its sessions at all', () => administration(engine.machines));
  on('XA1: strangers who signed in while anyone could are out by their next request once they may not come in, and go on afterwards', () => strangersOut(engine.machines));
  on('S2 S11: upstream tokens go with their flow into the session', () => upstreamTokens(engine.machines, (statement) => engine.databases.sql(1, statement)));

  on('S3: 150 flows, each submitted 8 times at once over two machines and again later, give 150 codes and no 5xx', () => raceSubmits(engine.machines, { client: engine.client, flows: 150 }));
  on('T17: 80 codes redeemed 8 times at once over two machines give one token each', () => raceRedemptions(engine.machines, { client: engine.client, codes: 80 }));
  on('S3: an identity that races a submit never brings the flow back', async () => raceIdentities(engine.machines, { client: engine.client, key: await engine.machines[0].addKey('racer'), flows: 60 }));
  on('S3: of a submit and a denial at the same moment one wins', () => raceDenials(engine.machines, { client: engine.client, flows: 40 }));
  on('S2: an identity chosen before the submit is the one in the session, under load too', () => submitUnderLoad(engine.machines, { client: engine.client, flows: 40 }));

  on('SI65: a group that is taken away between any two steps takes what it allowed, and gives it back, at every machine', () => groupTaken(engine.machines));
  on('SI65: while a group comes and goes each Allow is answered by what holds then', () => groupThatFlickers(engine.machines));
  on('SI62: 40 people with equal subjects and addresses at two providers use what is theirs, all at once, at whichever machine', () => namesakesApart(engine.machines));

  on('S15 XF4: readiness tells of a database user that may only read, until it may write', async () => {
    const health = () => Promise.all(engine.machines.map((machine) => send(machine.base, 'GET', '/readyz')));
    const states = async () => (await health()).map((answer) => `${answer.status} ${answer.json().status}`);
    const both = (state) => async () => (await states()).every((seen) => seen === state);
    await mayWrite(engine, false);
    try {
      await until(both('503 store_not_writable'), 'both machines to tell that they cannot write');
      const refused = await postJson(engine.machines[0].base, `${api}/register`, { redirect_uris: [loopback] });
      assert.equal(refused.status, 503, refused.text);
      assert.equal((await send(engine.machines[0].base, 'GET', '/healthz')).status, 200);
    } finally { await mayWrite(engine, true); }
    await until(both('200 ok'), 'both machines to be ready again');
    await register(engine.machines[0]);
  });

  on('S12: no token, code, key, verifier or cookie is in the files or logs of the database servers', async () => {
    const key = await engine.machines[0].addKey('kept as a hash');
    const done = await wander(engine.machines, { identity: { virtualKey: key.virtual_key } });
    await wander(engine.machines, { identity: { userId: 'somebody-to-be-found' } });
    const secrets = [key.virtual_key, done.token, done.code, done.proof.verifier, done.browser.cookies.get('consentgate_browser')];
    const written = (text) => {
      const spellings = [text, text.replace(/^(cgs_|sk-bf-)/, '')].flatMap((one) => ['-e', one, '-e', Buffer.from(one).toString('hex')]);
      try { return execFileSync('grep', ['-rlaF', ...spellings, '--', engine.databases.folder], { encoding: 'utf8' }).trim(); } catch { return ''; }
    };
    assert.notEqual(written('somebody-to-be-found'), '', 'the search finds what is there');
    for (const secret of secrets) assert.equal(written(secret), '');
  });
}
