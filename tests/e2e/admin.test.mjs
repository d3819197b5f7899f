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
  assert.match(made.stdout, /^sk-bf-[A-Za-z0-9_-]{43}\n$/);
  assert.ok(!made.stderr.includes(made.stdout.trim()));
  const listed = await admin('key', 'list');
  assert.match(listed.stdout, /^ID +NAME +ACTIVE +SERVICES +CREATED +EXPIRES\n/);
  assert.match(listed.stdout, /Anna, laptop +yes +notion/);
  const all = JSON.parse((await admin('key', 'list', '--json')).stdout);
  assert.deepEqual([all[0].name, all[0].active, all[0].services], ['Anna, laptop', true, ['notion']]);
  assert.equal(all[0].expires - all[0].created, 90 * 86400);
  for (const file of server.files()) assert.ok(!fs.readFileSync(file, 'latin1').includes(made.stdout.trim()), file);
});

test('S11: disabling a key ends its sessions at their next request', async () => {
  const key = JSON.parse((await admin('key', 'add', 'short', '--json')).stdout);
  const { token } = await journey(server, { identity: { virtualKey: key.virtual_key } });
  assert.equal((await rpc(server, token, 'tools/list')).status, 200);
  assert.match((await admin('session', 'list')).stdout, /virtual_key +short/);
  assert.equal((await admin('key', 'disable', key.id)).code, 0);
  assert.equal((await rpc(server, token, 'tools/list')).status, 401);
  const again = await admin('key', 'disable', key.id);
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
  assert.match((await admin('key', '--help')).stdout, /key disable ID/);
  const help = await admin('key', 'add', '--help');
  assert.equal(help.code, 0);
  assert.match(help.stdout, /--expires-days N .*\n[^]*example: consentgate-admin key add/);
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
