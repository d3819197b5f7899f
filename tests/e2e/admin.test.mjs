// consentgate-admin as its user meets it: data on stdout, the rest on stderr, exit status 0, 1 or
// 2, secrets shown once.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { journey, rpc } from './support/journey.mjs';
import { root, startServer } from './support/server.mjs';

const program = path.resolve(root, process.env.BUILD || 'build/asan', 'consentgate-admin');
const changelog = ['conf/package/debian/changelog', 'conf/debian/changelog'].map((name) => path.resolve(root, name)).find((name) => fs.existsSync(name));
let server;

// Never throws: what it printed, and how it ended.
const admin = (...words) => new Promise((done) => {
  execFile(program, words, { env: { ...process.env, CONSENTGATE_CONFIG: path.join(server.var, 'consentgate.conf') } },
    (error, stdout, stderr) => done({ code: error ? error.code : 0, stdout, stderr }));
});

before(async () => {
  server = await startServer({ workers: 1 });
  await server.admin('service', 'add', 'notion', '--url', 'https://notion.invalid/mcp', '--authorization-endpoint', 'https://notion.invalid/authorize',
    '--token-endpoint', 'https://notion.invalid/token', '--client-id', 'ours');
}, { timeout: 240000 });
after(async () => { await server?.stop(); }, { timeout: 120000 });

test('S11: a virtual key is shown once, on stdout alone, and only its hash is kept', async () => {
  const made = await admin('key', 'add', 'Anna, laptop', '--expires-days', '90', '--service', 'notion');
  assert.equal(made.code, 0, made.stderr);
  assert.match(made.stdout, /^id           vk_[\w-]{16}\nname         Anna, laptop\nvirtual key  sk-bf-[\w-]{43}\n$/);
  const clear = /sk-bf-\S+/.exec(made.stdout)[0];
  assert.ok(!made.stderr.includes(clear));
  const listed = await admin('key', 'list');
  assert.match(listed.stdout, /^ID +NAME +ACTIVE +SERVICES +CREATED +EXPIRES\n/);
  assert.match(listed.stdout, /Anna, laptop +yes +notion/);
  const all = JSON.parse((await admin('key', 'list', '--json')).stdout);
  assert.deepEqual([all[0].name, all[0].active, all[0].services], ['Anna, laptop', true, ['notion']]);
  assert.equal(all[0].expires - all[0].created, 90 * 86400);
  for (const file of server.files()) assert.ok(!fs.readFileSync(file, 'latin1').includes(clear), file);
});

test('S11: disabling a key ends its sessions at their next request', async () => {
  const key = JSON.parse((await admin('key', 'add', 'short', '--json')).stdout);
  const { token } = await journey(server, { identity: { virtualKey: key.virtual_key } });
  assert.equal((await rpc(server, token, 'tools/list')).status, 200);
  assert.match((await admin('session', 'list')).stdout, /virtual_key +short/);
  assert.equal((await admin('key', 'disable', key.id, '--yes')).code, 0);
  assert.equal((await rpc(server, token, 'tools/list')).status, 401);
  const again = await admin('key', 'disable', key.id, '--yes');
  assert.equal(again.code, 1);
  assert.match(again.stderr, /there is no active key/);
});

test('R1 A3: disabling a client ends its sessions, and it is listed as such', async () => {
  const client = JSON.parse((await admin('client', 'add', 'Vouched for', '--redirect-uri', 'http://127.0.0.1:53111/callback', '--json')).stdout);
  const { token } = await journey(server, { client });
  assert.equal((await rpc(server, token, 'tools/list')).status, 200);
  assert.equal((await admin('client', 'disable', client.client_id)).code, 0);
  assert.equal((await rpc(server, token, 'tools/list')).status, 401);
  const row = JSON.parse((await admin('client', 'list', '--json')).stdout).find(({ id }) => id === client.client_id);
  assert.deepEqual([row.active, row.registered_by], [false, 'operator']);
});

test('O1: wrong words are exit status 2 with the reason on stderr and nothing on stdout', async () => {
  for (const words of [[], ['nonsense'], ['key'], ['key', 'add'], ['key', 'add', 'a', 'b'], ['key', 'add', 'a', '--nonsense'], ['key', 'add', 'a', '--expires-days'],
    ['key', 'add', 'a', '--expires-days', '0'], ['key', 'list', '--json=yes'], ['key', 'add', ''], ['client', 'add', 'a'], ['client', 'add', 'a', '--redirect-uri', 'http://evil.test/']]) {
    const said = await admin(...words);
    assert.deepEqual([said.code, said.stdout], [2, ''], words.join(' '));
    assert.notEqual(said.stderr, '');
  }
});

test('O1: --help is there at every level, with an example, and succeeds', async () => {
  assert.match((await admin('--help')).stdout, /key add NAME .*\n/);
  const noun = await admin('key', '--help');
  assert.match(noun.stdout, /^usage: consentgate-admin key VERB[^]*key disable KEY[^]*\nexample: consentgate-admin key add/);
  assert.ok(!noun.stdout.includes('client list'), 'of this noun alone');
  assert.match((await admin('--help')).stdout, /\nexample: consentgate-admin /);
  assert.equal((await admin('key', 'add', '-h')).stdout, (await admin('key', 'add', '--help')).stdout);
  const help = await admin('key', 'add', '--help');
  assert.equal(help.code, 0);
  assert.match(help.stdout, /--expires-days N .*\n[^]*example: consentgate-admin key add/);
});

test('XF4: a word that is unknown says so and names the near ones, at every level', async () => {
  for (const [words, said] of [
    [['kye', 'list'], /there is no command 'kye list'; did you mean key list\?/],
    [['kye', '--help'], /there is no command 'kye'; did you mean key\?/],
    [['keys', 'list'], /did you mean key list\?/],
    [['key', 'lst'], /did you mean key list\?; see consentgate-admin key --help/],
    [['key', 'create', 'Anna'], /did you mean key add\?/],
    [['add', 'key', 'Anna'], /did you mean key add\?/],
    [['service', 'delete', 'notion'], /did you mean service remove or service disable\?/],
    [['provider', 'ls'], /did you mean idp list\?/],
    [['migarte'], /did you mean migrate\?/],
    [['database', 'migrate'], /did you mean migrate\?/],
    [['help'], /did you mean --help\?/],
    [['--json', 'key', 'list'], /--json stands before any command/],
    [['key', 'list', '--jsn'], /there is no option --jsn; did you mean --json\?; see consentgate-admin key list --help/],
    [['key', 'list', '-j'], /there is no option -j/],
    [['key', 'list', '--json', '--json'], /--json was given more than once/],
    [['key', 'add', 'Anna', '--expires-days', '3', '--expires-days=4'], /--expires-days was given more than once/],
    [['key', 'list', '--config', 'a', '--config', 'b'], /--config was given more than once/],
    [['--config=a', 'key', 'list', '--config', 'a'], /--config was given more than once/],
    [['key', 'list', '--config'], /--config needs a value/],
    [['key', 'show'], /key show needs KEY, as in: consentgate-admin key show/],
    [['key', 'list', 'Anna'], /'Anna' is one word too many: it takes none/],
  ]) {
    const refused = await admin(...words);
    assert.deepEqual([refused.code, refused.stdout], [2, ''], `${words}: ${refused.stderr}`);
    assert.match(refused.stderr, said, words.join(' '));
  }
});

test('XF4: the server refuses a word that it does not know, instead of serving something else', async () => {
  const serve = (...words) => new Promise((done) => { execFile(path.join(path.dirname(program), 'consentgate'), words, (error, stdout, stderr) => done({ code: error?.code ?? 0, stdout, stderr })); });
  for (const [words, said] of [[['--gaet'], /there is no option --gaet; did you mean --gate\?/], [['gate'], /there is no option gate/], [['--config', 'a', '--config', 'b'], /--config was given more than once/]]) {
    const refused = await serve(...words);
    assert.deepEqual([refused.code, refused.stdout], [2, ''], words.join(' '));
    assert.match(refused.stderr, said);
  }
  const help = await serve('--help');
  assert.deepEqual([help.code, help.stderr], [0, '']);
  assert.match(help.stdout, /--gate[^]*\nexample: /);
});

test('XF4: --config may be written with =, and a word after -- is no option', async () => {
  const file = path.join(server.var, 'consentgate.conf');
  const bare = await new Promise((done) => { execFile(program, ['key', 'list', `--config=${file}`, '--json'], { env: { PATH: process.env.PATH, CONSENTGATE_CONFIG: '/nowhere.conf' } }, (error, stdout) => done(JSON.parse(stdout))); });
  assert.deepEqual(bare, JSON.parse((await admin('key', 'list', '--json')).stdout));
  const odd = await admin('key', 'add', '--json', '--', '--odd');
  assert.equal(JSON.parse(odd.stdout).name, '--odd');
});

test('XF4: things are named by id, URL, path or a name that is only theirs, and several are listed', async () => {
  const json = async (...words) => JSON.parse((await admin(...words, '--json')).stdout);
  const one = await json('key', 'add', 'Only one'), twins = [await json('key', 'add', 'Twin'), await json('key', 'add', 'Twin')];
  for (const word of [one.id, `key:${one.id}`, 'Only one', 'only ONE']) assert.equal((await json('key', 'show', word)).id, one.id, word);
  const several = await admin('key', 'show', 'Twin');
  assert.equal(several.code, 1);
  assert.match(several.stderr, /'Twin' is the name of 2; say the id of the one that you mean:/);
  for (const { id } of twins) assert.ok(several.stderr.includes(`\n  ${id}  Twin`), several.stderr);
  assert.match((await admin('key', 'disable', 'Twin', '--yes')).stderr, /is the name of 2/);
  assert.ok((await json('key', 'list')).every(({ name, active }) => name !== 'Twin' || active), 'none was guessed');
  assert.match((await admin('key', 'show', 'Onyl one')).stderr, /there is no virtual key 'Onyl one'; did you mean Only one\?; see consentgate-admin key list/);
  const secret = await admin('key', 'show', one.virtual_key);
  assert.equal(secret.code, 1);
  assert.match(secret.stderr, /that is a virtual key itself/);
  assert.ok(!secret.stderr.includes(one.virtual_key));

  for (const word of ['notion', 'Notion', 'https://notion.invalid/mcp']) assert.equal((await json('service', 'show', word)).id, 'notion', word);
  assert.deepEqual((await json('key', 'add', 'By URL', '--service', 'https://notion.invalid/mcp')) && (await json('key', 'show', 'By URL')).services, ['notion']);

  const client = await json('client', 'add', 'Called by its name', '--redirect-uri', 'http://127.0.0.1:53111/callback');
  assert.equal((await json('client', 'show', 'Called by its name')).id, client.client_id);
  assert.deepEqual(await json('session', 'list', '--client', 'called by its name', '--key', 'Only one'), []);

  const url = `${server.base}/mcp/named`;
  const made = await json('resource', 'add', url, '--name', 'The named one', '--service', 'Notion');
  for (const word of [made.id, url, '/mcp/named', 'the named one']) assert.deepEqual([(await json('resource', 'show', word)).id, word], [made.id, word]);
  assert.equal((await admin('resource', 'set', '/mcp/named', '--no-service')).code, 0);
  assert.deepEqual((await json('resource', 'show', url)).services, []);
  assert.equal((await admin('resource', 'disable', '/mcp/named')).code, 0);
  assert.equal((await admin('resource', 'enable', '/mcp/named')).code, 0);
  assert.equal((await json('resource', 'show', url)).active, true);
  assert.equal((await admin('resource', 'remove', '/mcp/named')).code, 2);
  assert.equal((await admin('resource', 'remove', '/mcp/named', '--yes')).code, 0);
  assert.match((await admin('resource', 'show', url)).stderr, /there is no guarded resource/);
});

test('XF4: a rotated key has another text, the old one works as long as was said, and its sessions go on', async () => {
  const key = JSON.parse((await admin('key', 'add', 'Rotated', '--json')).stdout);
  const signIn = (virtualKey) => journey(server, { identity: { virtualKey } });
  const { token } = await signIn(key.virtual_key);
  const asks = await admin('key', 'rotate', 'Rotated');
  assert.deepEqual([asks.code, asks.stdout], [2, '']);
  assert.match(asks.stderr, /refuses the old text from now on, unless --keep-old says how long it works; say --yes/);
  const kept = JSON.parse((await admin('key', 'rotate', 'Rotated', '--keep-old', '2', '--json')).stdout);
  assert.ok(Math.abs(kept.old_text - Date.now() / 1000 - 7200) < 120);
  await signIn(key.virtual_key);
  await signIn(kept.virtual_key);
  server.sql(`UPDATE former_key SET expires_at = 1 WHERE virtual_key_id = '${key.id}'`);
  await assert.rejects(signIn(key.virtual_key));
  const alone = await admin('key', 'rotate', 'Rotated', '--yes');
  assert.match(alone.stdout, /^id           vk_\S+\nname         Rotated\nvirtual key  sk-bf-\S+\nold text     refused\n$/);
  assert.match(alone.stderr, new RegExp(`Sessions that came of the old text go on[^]*session revoke --key ${key.id}`));
  await assert.rejects(signIn(kept.virtual_key));
  await signIn(/sk-bf-\S+/.exec(alone.stdout)[0]);
  assert.equal((await rpc(server, token, 'tools/list')).status, 200, 'a session of the first text goes on');
  const shown = JSON.parse((await admin('key', 'show', key.id, '--json')).stdout);
  assert.deepEqual([shown.active, shown.old_text, shown.sessions], [true, null, 4]);
  const [session] = JSON.parse((await admin('session', 'list', '--key', key.id, '--json')).stdout);
  const one = JSON.parse((await admin('session', 'show', session.id, '--json')).stdout);
  assert.deepEqual([one.id, one.active, one.identity, one.scope], [session.id, true, 'Rotated', 'mcp']);
  assert.match((await admin('session', 'show', 'nobody')).stderr, /there is no session 'nobody'; see consentgate-admin session list/);
});

test('XF4: a disabled client is enabled again with its sessions, and a removed one is gone with them', async () => {
  const client = JSON.parse((await admin('client', 'add', 'To and fro', '--redirect-uri', 'http://127.0.0.1:53111/callback', '--json')).stdout);
  const { token } = await journey(server, { client });
  const status = async () => (await rpc(server, token, 'tools/list')).status;
  assert.equal((await admin('client', 'disable', 'To and fro')).code, 0);
  assert.equal(await status(), 401);
  assert.equal((await admin('client', 'enable', 'To and fro')).code, 0);
  assert.equal(await status(), 200);
  const again = await admin('client', 'enable', client.client_id);
  assert.deepEqual([again.code, /there is no disabled client/.test(again.stderr)], [1, true]);
  const asks = await admin('client', 'remove', 'To and fro');
  assert.deepEqual([asks.code, /ends all sessions of the client, and forgets it; say --yes/.test(asks.stderr)], [2, true]);
  assert.match((await admin('client', 'remove', 'To and fro', '--yes')).stderr, /^Removed, with 1 session\.$/m);
  assert.equal(await status(), 401);
  assert.equal((await admin('client', 'show', client.client_id)).code, 1);
});

test('XF4: what ends something for good asks on a terminal, and does nothing without the word', async () => {
  const key = JSON.parse((await admin('key', 'add', 'Asked about', '--json')).stdout);
  const typed = (word) => new Promise((done) => {
    const child = execFile('script', ['-qec', `'${program}' key disable ${key.id}`, '/dev/null'], { env: { ...process.env, CONSENTGATE_CONFIG: path.join(server.var, 'consentgate.conf') } },
      (error, stdout) => done({ code: error?.code ?? 0, stdout }));
    child.stdin.end(`${word}\n`);
  });
  const active = async () => JSON.parse((await admin('key', 'show', key.id, '--json')).stdout).active;
  const no = await typed('no');
  assert.equal(no.code, 1, no.stdout);
  assert.match(no.stdout, /End 'Asked about' \(vk_\S+\) for good\? Type yes: [^]*nothing was done/);
  assert.equal(await active(), true);
  const yes = await typed('yes');
  assert.equal(yes.code, 0, yes.stdout);
  assert.equal(await active(), false);
});

test('O1: a configuration is checked whole, and every problem is named', async () => {
  assert.equal((await admin('check')).code, 0);
  const broken = path.join(server.var, 'broken.conf');
  fs.writeFileSync(broken, 'issuer = ftp://x\nresources = mcp\nworkers = 0\nnonsense = 1\n');
  const said = await admin('check', '--config', broken);
  assert.equal(said.code, 1);
  for (const name of ['issuer', 'resources', 'workers', 'nonsense']) assert.match(said.stderr, new RegExp(`\\b${name}\\b`));
});

test('O2: an old word is answered with the new one, and nothing is done', async () => {
  const renamed = (text) => new RegExp(`^consentgate-admin: ${text}\\n`);
  const alias = await admin('vault', 'list');
  assert.deepEqual([alias.code, alias.stderr], [0, "consentgate-admin: vault is now called server-key; the old word goes with the next version\n"]);
  assert.equal(alias.stdout, (await admin('server-key', 'list')).stdout);
  const option = await admin('service', 'remove', 'notion', '--untold');
  assert.deepEqual([option.code, option.stdout], [2, '']);
  assert.match(option.stderr, renamed('--untold is now called --without-revocation'));
  const old = path.join(server.var, 'old.conf');
  fs.writeFileSync(old, 'issuer = ftp://x\ndatabase_wait_ms = 5\nclient_documents = on\n');
  const checked = await admin('check', '--config', old);
  assert.equal(checked.code, 1);
  const lines = checked.stderr.trim().split('\n').map((line) => line.replace('consentgate-admin: ', ''));
  assert.ok(lines.includes('database_wait_ms is now called database_timeout_ms'), checked.stderr);
  assert.ok(lines.includes('client_documents is now called client_documents_enabled'), checked.stderr);
  assert.ok(lines.some((line) => line.startsWith('issuer ')), checked.stderr);
});

test('O2: both programs print the version of the package', async () => {
  const newest = /\((.*?)\)/.exec(fs.readFileSync(changelog, 'utf8'))[1];
  assert.deepEqual(await admin('--version'), { code: 0, stdout: `consentgate-admin ${newest}\n`, stderr: '' });
  const version = await new Promise((done) => { execFile(path.join(path.dirname(program), 'consentgate'), ['--version'], (error, stdout) => done(stdout)); });
  assert.equal(version, `consentgate ${newest}\n`);
});

test('O4: migrating again changes nothing, and a lost key file is never replaced', async () => {
  assert.equal((await admin('migrate')).code, 0);
  const aside = `${server.keyFile}.aside`;
  fs.renameSync(server.keyFile, aside);
  const refused = await admin('migrate');
  assert.equal(refused.code, 1);
  assert.equal(fs.existsSync(server.keyFile), false);
  fs.renameSync(aside, server.keyFile);
  assert.equal((await admin('migrate')).code, 0);
  assert.equal(fs.statSync(server.keyFile).mode & 0o777, 0o600);
  assert.equal(fs.statSync(server.database).mode & 0o077, 0);
});

test('XF4: a key or a resource that takes another one\'s place is added with a warning, and an empty list says that it is empty', async () => {
  const first = JSON.parse((await admin('key', 'add', 'Cleo', '--json')).stdout);
  const second = await admin('key', 'add', 'Cleo');
  assert.match(second.stderr, new RegExp(`Another key has this name and works too: ${first.id}\\. If it is not needed: consentgate-admin key disable ${first.id}\n`));
  await admin('key', 'disable', first.id, '--yes');
  assert.doesNotMatch((await admin('key', 'add', 'Dora')).stderr, /Another key/);
  const twin = await admin('resource', 'add', 'https://other.example/mcp');
  assert.equal(twin.code, 0, twin.stderr);
  assert.match(twin.stderr, /have the same path[^]*A gate does not start with them[^]*consentgate-admin resource remove cgrs_[\w-]+ --yes\n/);
  assert.match((await admin('check')).stderr, /A gate does not start with them: consentgate-admin resource remove/);
  assert.equal((await admin('resource', 'remove', 'https://other.example/mcp', '--yes')).code, 0);
  assert.doesNotMatch((await admin('check')).stderr, /A gate does not start/);
  assert.doesNotMatch((await admin('resource', 'add', 'https://other.example/more')).stderr, /same path/);
  assert.equal((await admin('user', 'list')).stderr, 'There are none.\n');
});

test('XF3: the doctor takes the address of a server for its site\'s, and no address that nobody can call', async () => {
  for (const url of ['tools.example.org', 'http://tools.example.org', 'ftp://tools.example.org']) {
    const said = await admin('doctor', '--url', url);
    assert.deepEqual([said.code, said.stdout], [2, ''], url);
    assert.match(said.stderr, /--url takes the https address of the site, like https:\/\/tools\.example\.org, and not '/);
  }
  const said = await admin('doctor', '--url', `${server.base}/mcp/x?y`, '--json');
  assert.ok(JSON.parse(said.stdout).some(({ finding }) => finding.startsWith(`${server.base}/.well-known/`) || finding.includes(`${server.base}/.well-known/`)), said.stdout.slice(0, 400));
});
