// An operator sees who is signed in, ends the sessions of a person or a client that leaves, and
// changes a guarded server; the log has a line for each.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { postForm } from './support/browser.mjs';
import { api, codeFor, inLanes, journey, post, register, rpc, startFlow, tokenParameters } from './support/journey.mjs';
import { root, startServer, until } from './support/server.mjs';

const program = path.resolve(root, process.env.BUILD || 'build/asan', 'consentgate-admin');
const long = { timeout: 300000 };
let server;
let refreshing; // a client that gets refresh tokens

before(async () => {
  server = await startServer({ workers: 4, env: { CONSENTGATE_AUDIT_FILE: 'audit.log' } });
  refreshing = await register(server, { grant_types: ['authorization_code', 'refresh_token'] });
  await server.admin('service', 'add', 'notion', '--url', 'https://notion.invalid/mcp', '--authorization-endpoint', 'https://notion.invalid/authorize',
    '--token-endpoint', 'https://notion.invalid/token', '--client-id', 'ours');
}, { timeout: 240000 });
after(async () => { await server?.stop(); }, { timeout: 120000 });

// Never throws: what it printed, and how it ended.
const admin = (...words) => new Promise((done) => {
  execFile(program, words, { cwd: server.var, env: server.environment() }, (error, stdout, stderr) => done({ code: error ? error.code : 0, stdout, stderr }));
});
const list = (...words) => server.admin('session', 'list', ...words, '--json');
const works = async (token) => {
  const { status } = await rpc(server, token, 'tools/list');
  assert.ok([200, 401].includes(status), `/mcp answered ${status}`);
  return status === 200;
};
const refresh = (token) => postForm(server.base, `${api}/token`, { grant_type: 'refresh_token', client_id: refreshing.client_id, refresh_token: token });
async function signedIn(identity, client = refreshing) {
  const flow = await codeFor(server, { client, identity });
  const answer = await postForm(server.base, `${api}/token`, tokenParameters(flow, flow.code));
  assert.equal(answer.status, 200, answer.text);
  return { ...flow, ...answer.json() };
}
const audited = (what) => fs.readFileSync(path.join(server.var, 'audit.log'), 'utf8').split('\n').filter((line) => line.includes(` what=${what} `));

test('XA4: sessions are listed by each filter, with client, resource and last use, and a cut list says so', long, async () => {
  const { token } = await journey(server, { identity: { userId: 'anna@example.org' } });
  await signedIn({ userId: 'anna@example.org' });
  await signedIn({ skip: true });
  const [anna] = await list('--user', 'anna@example.org', '--limit', '1');
  assert.deepEqual(Object.keys(anna), ['id', 'client_id', 'client_name', 'resource', 'identity_kind', 'identity', 'created', 'last_used', 'last_used_from', 'expires']);
  assert.deepEqual([anna.resource, anna.identity_kind, anna.identity], [server.resource, 'user_id', 'anna@example.org']);
  assert.equal((await list('--user', 'anna@example.org')).length, 2);
  assert.equal((await list('--user', 'anna@example.org', '--client', refreshing.client_id)).length, 1);
  assert.equal((await list('--identity', 'skipped')).length, 1);
  assert.equal((await list('--resource', server.resource)).length, 3);
  assert.equal((await list('--resource', 'https://elsewhere.example/mcp')).length, 0);
  const cut = await admin('session', 'list', '--limit', '2');
  assert.equal(cut.stdout.trim().split('\n').length, 3);
  assert.match(cut.stderr, /There are more than these 2; --limit N shows more/);
  assert.match((await admin('session', 'list', '--limit', '0')).stderr, /--limit takes a number from 1/);
  assert.ok(await works(token));
});

test('XA4: a name that does not exist ends nobody, and near names are offered', long, async () => {
  const key = await server.addKey('off');
  const count = (await list()).length;
  for (const [words, code, said] of [
    [[], 2, /takes one of: the ID of a session, --all, or/],
    [['--all', '--user', 'anna'], 2, /takes one of/],
    [['x8Gm2vVQ0dUq3Zr1nTfWcA', '--all'], 2, /takes one of/],
    [['--identity', 'virtual-key'], 2, /no kind of identity 'virtual-key'; did you mean virtual_key\?/],
    [['--client', 'cgc_unknown'], 2, /there is no client 'cgc_unknown'; see consentgate-admin client list/],
    [['--key', `${key.id.slice(0, -1)}`], 2, new RegExp(`no virtual key .*; did you mean ${key.id}\\?; see consentgate-admin key list`)],
    [['--usr', 'anna'], 2, /no option --usr; did you mean --user\?/],
    [['--user', 'anna'], 2, /session revoke ends every session that fits; say --yes/],
    [['--all'], 2, /say --yes/],
  ]) {
    const ended = await admin('session', 'revoke', ...words);
    assert.deepEqual([ended.code, ended.stdout], [code, ''], `${words} ${ended.stderr}`);
    assert.match(ended.stderr, said);
  }
  assert.equal((await list()).length, count);
  const none = await admin('session', 'revoke', '--user', 'nobody', '--yes');
  assert.deepEqual([none.code, /^0 sessions revoked\./m.test(none.stderr)], [0, true], none.stderr);
});

test('XA4: a person, a key, a client and a resource are signed out, and nobody else', long, async () => {
  const key = await server.addKey('leaving');
  const client = await register(server, { client_name: 'Leaving' });
  const people = {
    user: await signedIn({ userId: 'berta' }), key: await signedIn({ virtualKey: key.virtual_key }),
    client: await signedIn({ skip: true }, client), other: await signedIn({ userId: 'caesar' }),
  };
  const left = new Set(Object.keys(people));
  for (const [who, words] of [['user', ['--user', 'berta']], ['key', ['--identity', 'virtual_key', '--key', key.id]], ['client', ['--client', client.client_id]]]) {
    const ended = await admin('session', 'revoke', ...words, '--yes');
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stderr, /^1 session revoked\./m);
    left.delete(who);
    for (const [name, { access_token: token }] of Object.entries(people)) assert.equal(await works(token), left.has(name), `${name} after ${who}`);
  }
  assert.equal((await refresh(people.user.refresh_token)).status, 400);
  assert.equal((await refresh(people.other.refresh_token)).status, 200);
  assert.match((await admin('session', 'revoke', '--resource', server.resource, '--yes')).stderr, /^[1-9]\d* sessions revoked\./m);
  assert.equal(await works(people.other.access_token), false);
  assert.deepEqual(await list(), []);
});

test('XA4: nobody who was signed in when all are signed out goes on, though others sign in and refresh meanwhile', long, async () => {
  const signed = await inLanes(8, Array.from({ length: 24 }, (_, at) => () => signedIn({ userId: `racer-${at}` })));
  const newest = new Map(signed.map((one, at) => [at, one]));
  let over = false;
  const refreshes = signed.map(async (one, at) => {
    for (let token = one.refresh_token; !over;) {
      const answer = await refresh(token);
      if (answer.status !== 200) { assert.equal(answer.status, 400, answer.text); return; }
      newest.set(at, answer.json());
      token = answer.json().refresh_token;
    }
  });
  // A session that ends before its code is redeemed gives no token.
  const arrivals = (async () => {
    while (!over) await signedIn({ userId: 'late' }).catch(({ message }) => assert.match(message, /invalid_grant/));
  })();
  const ended = await admin('session', 'revoke', '--all', '--yes');
  over = true;
  await Promise.all([...refreshes, arrivals]);
  assert.equal(ended.code, 0, ended.stderr);
  assert.ok(Number(/^(\d+) sessions revoked/m.exec(ended.stderr)[1]) >= 24, ended.stderr);
  for (const [at, { access_token: token, refresh_token: next }] of newest) {
    assert.equal(await works(token), false, `racer-${at}`);
    assert.equal((await refresh(next)).status, 400, `racer-${at}`);
  }
  assert.ok((await list()).every(({ identity }) => identity === 'late'));
  assert.equal((await admin('session', 'revoke', '--all', '--yes')).code, 0);
});

test('XA4: the gate writes nothing at a call; hour and network of the last use are there when it has been idle', long, async () => {
  const { token } = await journey(server, { identity: { userId: 'daily' } });
  await until(async () => (await list('--user', 'daily'))[0].last_used !== null, 'the sign-in to be noted', 100000);
  server.sql('UPDATE session SET last_used_at = NULL, last_used_from = NULL');
  const wal = () => crypto.createHash('sha256').update(fs.readFileSync(`${server.database}-wal`)).digest('hex');
  // A worker of the pages may write its notes meanwhile; a gate that writes does so each time.
  const unchanged = async () => {
    const before_ = wal();
    for (let i = 0; i < 30; i++) assert.ok(await works(token));
    return wal() === before_;
  };
  assert.ok(await unchanged() || await unchanged() || await unchanged());
  const noted = async () => (await list('--user', 'daily'))[0];
  await until(async () => (await noted()).last_used !== null, 'the calls to be noted', 100000);
  const { last_used: at, last_used_from: from } = await noted();
  assert.equal(at % 3600, 0);
  assert.ok(Date.now() / 1000 - at < 7200 && at <= Date.now() / 1000);
  assert.equal(from, '127.0.0.0/24');
  assert.match(await server.admin('session', 'list', '--user', 'daily'), /127\.0\.0\.0\/24/);
});

test('XA4: each line about a person names client, session and person, and no line holds a secret', long, async () => {
  const flow = await startFlow(server, { client: refreshing });
  await post(flow, 'user-id', { user_id: 'emil' });
  assert.equal((await post(flow, 'deny')).status, 302);
  const denied = audited('consent_denied').at(-1);
  for (const field of [` client=${refreshing.client_id} `, ` subject=flow:${flow.flowId} `, ' identity_kind=user_id ', ' address=127.0.0.1']) assert.ok(denied.includes(field), denied);

  const own = await signedIn({ userId: 'frieda' });
  const { id } = (await list('--user', 'frieda'))[0];
  assert.equal((await own.browser.post('/oauth/sessions/end', {})).status, 302);
  const byPerson = audited('session_ended').at(-1);
  for (const field of [' event_id=', ' by=person ', ` session=${id} `, ` client=${refreshing.client_id} `, ` subject=session:${id} `, ' address=127.0.0.1']) assert.ok(byPerson.includes(field), byPerson);

  const other = await signedIn({ userId: 'gustav' });
  const of = (await list('--user', 'gustav'))[0].id;
  assert.equal((await postForm(server.base, `${api}/revoke`, { client_id: refreshing.client_id, token: other.refresh_token })).status, 200);
  assert.match(audited('token_revoked').at(-1), new RegExp(` session=${of} client=${refreshing.client_id} subject=session:${of}$`));

  const key = await server.addKey('named');
  const third = await signedIn({ virtualKey: key.virtual_key });
  const [{ id: keyed }] = await list('--key', key.id);
  await server.admin('session', 'revoke', '--key', key.id, '--yes');
  assert.match(audited('session_ended').at(-1), new RegExp(` by=operator session=${keyed} client=${refreshing.client_id} subject=key:${key.id}$`));
  assert.match(audited('operator_command').at(-1), new RegExp(` command="session revoke" operand=- uid=\\d+ sudo_user=\\S+ options="--key ${key.id} --yes" status=0$`));
  const text = fs.readFileSync(path.join(server.var, 'audit.log'), 'utf8');
  for (const secret of [own, other, third].flatMap((one) => [one.access_token, one.refresh_token, one.code]).concat(key.virtual_key)) assert.ok(!text.includes(secret));
});

test('XA4: a command that changes something is in the log without any setting, also when it fails, and one that reads is not', long, async () => {
  const { CONSENTGATE_AUDIT_FILE: file, ...environment } = server.environment();
  assert.equal(file, 'audit.log');
  const run = (...words) => new Promise((done) => { execFile(program, words, { cwd: server.var, env: environment }, (error, stdout, stderr) => done({ code: error?.code ?? 0, stdout, stderr })); });
  if (fs.existsSync('/dev/log')) return; // the line is in the log of this machine
  const line = /^\S+ event=audit what=operator_command pid=\d+ command="(.*?)" operand=(\S+) uid=\d+ sudo_user=\S+ options=.* status=(\d)$/m;
  assert.deepEqual(line.exec((await run('key', 'add', 'logged')).stderr)?.slice(1), ['key add', 'logged', '0']);
  assert.deepEqual(line.exec((await run('key', 'disable', 'vk_nobody')).stderr)?.slice(1), ['key disable', 'vk_nobody', '1']);
  for (const words of [['key', 'list'], ['session', 'list'], ['check']]) assert.doesNotMatch((await run(...words)).stderr, /event=audit/, words.join(' '));
});

test('XA6: a resource that is there is not added again, and `resource set` prints what it changes', long, async () => {
  const url = `${server.base}/mcp/notes`;
  const made = await server.admin('resource', 'add', url, '--service', 'notion', '--json');
  const again = await admin('resource', 'add', url, '--scopes', 'mcp profile');
  assert.deepEqual([again.code, again.stdout], [1, '']);
  assert.match(again.stderr, new RegExp(`${url} is guarded already, and nothing was changed; to change it: consentgate-admin resource set ${url} --scopes 'mcp profile'\\n`));
  const row = async () => (await server.admin('resource', 'list', '--json')).filter(({ resource }) => resource === url);
  assert.deepEqual((await row()).map(({ id, services, scope }) => [id, services, scope]), [[made.id, ['notion'], '']]);

  const set = await admin('resource', 'set', url, '--scopes', 'mcp profile', '--no-service');
  assert.equal(set.code, 0, set.stderr);
  assert.match(set.stdout, /^MEMBER +BEFORE +AFTER\nscope +default_scopes +mcp profile\nservices +notion +none\n$/);
  assert.deepEqual((await row()).map(({ id, services, scope }) => [id, services, scope]), [[made.id, [], 'mcp profile']]);
  const same = await admin('resource', 'set', url, '--scopes', 'mcp profile');
  assert.deepEqual([same.code, same.stdout], [0, '']);
  assert.match(same.stderr, /Nothing changes/);
  assert.deepEqual(await server.admin('resource', 'set', url, '--service', 'notion', '--json'), [{ member: 'services', before: [], after: ['notion'] }]);

  const basic = (secret) => ({ Authorization: `Basic ${Buffer.from(`${made.id}:${secret}`).toString('base64')}` });
  const asks = async (secret) => (await postForm(server.base, `${api}/introspect`, { token: 'cgs_unknown' }, basic(secret))).status;
  assert.equal(await asks(made.secret), 200);
  const [{ member, before: hidden, after: secret }] = await server.admin('resource', 'set', url, '--rotate-secret', '--yes', '--json');
  assert.deepEqual([member, hidden, await asks(made.secret), await asks(secret)], ['secret', null, 401, 200]);
});

test('XA6: a service or a scope that does not exist is refused with the near ones, wherever it is named', long, async () => {
  const url = `${server.base}/mcp/other`;
  for (const [words, said] of [
    [['resource', 'add', url, '--service', 'notoin'], /there is no service 'notoin'; did you mean notion\?; see consentgate-admin service list/],
    [['resource', 'set', server.resource, '--service', 'notoin'], /there is no service 'notoin'; did you mean notion\?/],
    [['key', 'add', 'Anna', '--service', 'notoin'], /there is no service 'notoin'; did you mean notion\?/],
    [['resource', 'add', url, '--scopes', 'mcp profil'], /a scope that `scopes` of the configuration does not have: 'profil'; did you mean profile\?/],
    [['resource', 'set', server.resource], /needs --scopes, --service, --no-service, --rotate-secret, --name, --documentation, --policy, --tos, --origins, --tell-groups or --assertion/],
    [['resource', 'set', server.resource, '--origins', 'app.example'], /--origins takes any, none, or origins like https/],
    [['resource', 'add', url, '--origins', 'https://app.example/'], /--origins takes any, none, or origins like https/],
    [['resource', 'add', url, '--tos', 'http://docs.example/'], /documentation, policy and terms are https addresses/],
    [['resource', 'add', url, '--name', ' '], /a name has at most 100 characters, and something to see/],
    [['client', 'add', 'Narrow', '--redirect-uri', 'http://127.0.0.1/cb', '--scopes', 'profil'], /'profil'; did you mean profile\?/],
    [['resource', 'set', server.resource, '--service', 'notion', '--no-service'], /exclude each other/],
  ]) {
    const refused = await admin(...words);
    assert.deepEqual([refused.code, refused.stdout], [2, ''], `${words} ${refused.stderr}`);
    assert.match(refused.stderr, said);
  }
  const unknown = await admin('resource', 'set', url, '--no-service');
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /there is no active resource server for '.*'; see consentgate-admin resource list/);
  assert.ok(!(await server.admin('resource', 'list', '--json')).some(({ resource }) => resource === url));
});
