// The Debian package and `make install`: the files they install, and the package from
// installation to purge on a copy of this machine.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { promisify } from 'node:util';
import { plainFolder, root } from './support/server.mjs';

const run = promisify(execFile);
const build = process.env.BUILD || 'build/asan';
const long = { timeout: 600000 };
const environment = { ...process.env, ASAN_OPTIONS: 'detect_leaks=0', MAKEFLAGS: '', BUILD: '' };
const make = (...words) => run('make', ['--no-print-directory', ...words, `BUILD=${build}`], { cwd: root, env: environment });
const support = (name) => path.join(root, 'tests/e2e/support', name);
let file;

// On a copy of this machine. out: what the script saw; undefined where no copy can be made
async function onACopy(script, files, ...more) {
  const { stdout, code } = await run(support('throwaway.sh'), [...more, support(script), ...files], { env: environment, maxBuffer: 1 << 24, timeout: 500000, killSignal: 'SIGKILL' }).catch((error) => error);
  if (code === 77) return undefined;
  return { stdout, facts: Object.fromEntries(stdout.split('\n').filter((line) => /^[^#].*=/.test(line)).map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)])) };
}

// A database as an earlier version left it, after so many of the migrations.
function earlierDatabase(version) {
  const database = path.join(plainFolder(), 'earlier.db');
  const migrations = fs.readdirSync(path.join(root, 'sql')).filter((name) => /^\d{4}_.*\.sql$/.test(name)).sort().slice(0, version);
  const schema = 'CREATE TABLE schema_version (version BIGINT NOT NULL PRIMARY KEY, name VARCHAR(64) NOT NULL, digest CHAR(64) NOT NULL, applied_at BIGINT NOT NULL);';
  const applied = migrations.map((name, at) => `${fs.readFileSync(path.join(root, 'sql', name), 'utf8')}\nINSERT INTO schema_version VALUES (${at + 1}, '${name.replace('.sql', '')}', '', 1);`);
  const anna = `INSERT INTO virtual_key (id, name, key_hash, active, services, created_at) VALUES ('vk_anna', CAST('anna' AS BLOB), '${'0'.repeat(64)}', 1, NULL, 1);`;
  execFileSync('sqlite3', [database], { input: [schema, ...applied, anna].join('\n') });
  return database;
}

before(async () => {
  const { stdout } = await make('deb');
  file = path.join(root, stdout.trim().split('\n').at(-1));
}, long);

test('O9: the package names the libraries it needs, marks what the operator may change, and holds nothing of this machine', long, async () => {
  const { stdout: control } = await run('dpkg-deb', ['-f', file, 'Depends']);
  for (const library of ['libpoconet80', 'libfcgi0ldbl', 'libsqlite3-0', 'libodbc2', 'libssl3']) assert.ok(control.includes(library), `${library} in ${control}`);
  const folder = plainFolder();
  await run('dpkg-deb', ['-R', file, folder]);
  assert.deepEqual(fs.readFileSync(path.join(folder, 'DEBIAN/conffiles'), 'utf8').trim().split('\n'),
    ['/etc/apache2/conf-available/consentgate-gate.conf', '/etc/apache2/conf-available/consentgate.conf', '/etc/consentgate/consentgate.conf']);
  const { stdout: list } = await run('dpkg-deb', ['-c', file]);
  for (const line of list.trim().split('\n')) assert.match(line, /^[-d]rw[-x]r-[-x]r-[-x] root\/root /);
  for (const page of ['man8/consentgate.8', 'man8/consentgate-admin.8', 'man5/consentgate.conf.5']) assert.ok(list.includes(` ./usr/share/man/${page}.gz\n`), page);
  for (const text of ['changelog.gz', 'copyright', 'README.md', 'SECURITY.md']) assert.ok(list.includes(` ./usr/share/doc/consentgate/${text}\n`), text);
  await run('sh', ['-c', `cd "$1" && md5sum --quiet -c DEBIAN/md5sums`, 'sh', folder]);
  const texts = (await run('find', [path.join(folder, 'etc'), path.join(folder, 'lib'), path.join(folder, 'usr/share'), '-type', 'f'])).stdout.trim().split('\n');
  for (const text of texts) assert.ok(!fs.readFileSync(text, 'utf8').includes(root), text);
});

test('O9: lintian has no objection to the package, and its debug symbols are in a package of their own', long, async () => {
  const { stdout } = await run('lintian', ['--allow-root', '--fail-on', 'error,warning', file]);
  assert.equal(stdout, '');
  const symbols = file.replace('consentgate_', 'consentgate-dbgsym_');
  const { stdout: list } = await run('dpkg-deb', ['-c', symbols]);
  assert.equal([...list.matchAll(/\.debug\n/g)].length, 2, list);
});

test('O9: the units are what systemd understands, and shut the programs in', long, async () => {
  const folder = plainFolder();
  await make('install', `DESTDIR=${folder}`, `PREFIX=${folder}`);
  const units = path.join(folder, folder, 'lib/systemd/system');
  const installed = fs.readdirSync(units).sort();
  assert.deepEqual(installed, ['consentgate-gate@.service', 'consentgate-gate@tcp.socket', 'consentgate-gate@unix.socket', 'consentgate.service', 'consentgate.socket']);
  // The programs stand where the units say once DESTDIR is what they are copied to.
  fs.cpSync(path.join(folder, folder, 'bin'), path.join(folder, 'bin'), { recursive: true });
  const named = installed.map((name) => path.join(units, name.replace('@.service', '@unix.service')));
  fs.copyFileSync(path.join(units, 'consentgate-gate@.service'), path.join(units, 'consentgate-gate@unix.service'));
  const { stderr } = await run('systemd-analyze', ['verify', '--man=no', ...named]).catch((error) => error);
  assert.deepEqual(stderr.split('\n').filter((line) => /consentgate/.test(line)), []);
  const { stdout } = await run('systemd-analyze', ['security', '--offline=true', '--threshold=20', path.join(units, 'consentgate.service')]);
  assert.match(stdout, /Overall exposure level/);
});

test('O9: the manual pages name every command and every key, and roff has nothing to say against them', long, async () => {
  const folder = plainFolder();
  await run(path.join(root, 'docs/man/generate.sh'), [path.resolve(root, build, 'consentgate-admin'), folder], { env: environment });
  const pages = [path.join(folder, 'consentgate-admin.8'), path.join(folder, 'consentgate.conf.5'), path.join(root, 'docs/man/consentgate.8')];
  const shown = {};
  for (const page of pages) {
    const { stdout, stderr } = await run('man', ['--warnings', '-l', page], { env: { ...process.env, MANWIDTH: '120', LC_ALL: 'C.UTF-8', MANPAGER: 'cat' } });
    assert.equal(stderr, '', page);
    shown[path.basename(page)] = stdout.replace(/.\x08/g, '').replace(/\x1b\[[0-9;]*m/g, '');
  }
  const admin = path.resolve(root, build, 'consentgate-admin');
  const commands = [...(await run(admin, ['--help'], { env: environment })).stdout.matchAll(/^  ([a-z-]+(?: (?:add|list|show|test|disable|enable|remove|rotate|revoke|introspect))?) /gm)].map((found) => found[1]);
  assert.ok(commands.length > 25, commands.join());
  for (const command of commands) assert.match(shown['consentgate-admin.8'], new RegExp(`^ +${command} .*\\[options\\]`, 'm'));
  const keys = (await run(admin, ['check', '--defaults'], { env: environment })).stdout.trim().split('\n');
  for (const key of keys) assert.match(shown['consentgate.conf.5'], new RegExp(`^ +${key.split(' ')[0]} =`, 'm'), key);
});

test('O9: bash completes every command, and the options of each', long, async () => {
  const folder = plainFolder();
  await make('install', `DESTDIR=${folder}`, 'PREFIX=/usr');
  const script = `source "$1"; program=$2; shift 2; COMP_WORDS=(consentgate-admin "$@"); COMP_CWORD=$#; _consentgate_admin "$program"; echo "\${COMPREPLY[*]}"`;
  const complete = async (...words) => (await run('bash', ['-c', script, 'bash', path.join(folder, 'usr/share/bash-completion/completions/consentgate-admin'), path.join(folder, 'usr/bin/consentgate-admin'), ...words], { env: environment })).stdout.trim().split(' ');
  assert.deepEqual(await complete('ser'), ['server-key', 'service']);
  assert.deepEqual(await complete('key', ''), ['add', 'disable', 'list', 'rotate', 'show']);
  assert.deepEqual(await complete('doctor', '--'), ['--behind', '--client-document', '--config', '--help', '--http-url', '--json', '--url', '--user', '--web-config']);
  assert.deepEqual(await complete('service', 'add', 'notion', '--url', 'x', '--client-s'), ['--client-secret-expires', '--client-secret-file']);
});

test('O9: installed, configured, started as the unit starts it, upgraded, removed and purged', long, async (t) => {
  const seen = await onACopy('package_life.sh', [file, earlierDatabase(4)]);
  if (!seen) { t.skip('this machine lets nobody make a copy of itself (overlay mounts)'); return; }
  const { stdout, facts } = seen;
  const newest = fs.readdirSync(path.join(root, 'sql')).filter((name) => name.endsWith('.sql')).length;
  const { ready, issuer, ...rest } = facts;
  assert.match(ready ?? '', /"status":"ok"/, stdout);
  assert.match(issuer, /^http:\/\/127\.0\.0\.1:\d+$/);
  assert.notEqual(rest.upgrade_without_a_database, '0', stdout);
  assert.notEqual(rest.upgrade_with_a_bad_configuration, '0', stdout);
  delete rest.upgrade_without_a_database;
  delete rest.upgrade_with_a_bad_configuration;
  assert.deepEqual(rest, {
    installed: '0', says_what_is_missing: 'yes', has_user: 'yes', data_folder: 'consentgate:consentgate 700', configuration: 'root:consentgate 640', program: 'yes',
    schema_before: '4', upgraded: '0', says_apaches_line: 'yes', says_who_can_come_in: 'Only people with a virtual key can come in; 1 key is active.', schema_after: String(newest), migrated: 'consentgate 600', key: 'consentgate 600', configuration_kept: 'yes', counted: '8', ended: '0',
    upgrade_after_that: '0', removed: '0', program_after_removal: 'no', data_after_removal: 'yes', configuration_after_removal: 'yes',
    installed_again: '0', says_apaches_line_again: 'no', key_of_before: 'anna', purged: '0', data_after_purge: 'no', configuration_after_purge: 'no', user_after_purge: 'no',
  }, stdout);
});

test('O9: under systemd, behind Apache, set up by hand: started by its sockets, shut in, reloaded, upgraded and killed without a failed request', long, async (t) => {
  const seen = await onACopy('package_under_systemd.sh', [file], '--systemd');
  if (!seen) { t.skip('this machine lets nobody boot a copy of itself'); return; }
  const shutIn = '0000000000000000 1 2 consentgate'; // no capabilities, no new privileges, system calls filtered, not root
  assert.deepEqual(seen.facts, {
    installed: '0', migrated: '0', resource_added: '0', enabled: '0', apache: 'active', before_the_first_call: 'inactive', pages: '200', gate_without_a_token: '401', units: 'active active ',
    key: '0', doctor: '0', 'shut_in_consentgate.service': shutIn, 'shut_in_consentgate-gate@tcp.service': shutIn, statuses_while_reloaded: '200 401 ', reloads: '2', statuses_while_refused: '200 401 ', refused_upgrade: '1', names_the_present_key: '1', restarted_meanwhile: 'no', configured: '0', restarted: 'active', statuses_while_upgraded: '200 401 ',
    statuses_while_killed: '200 401 ', started_again: 'active', removed: '0', units_after_removal: 'inactive ',
  }, seen.stdout);
});

for (const server of ['apache', 'nginx', 'lighttpd']) {
  test(`XF5 XF2: behind ${server} with other sites beside it, README's lines protect a server, and setup changes what it must and nothing else`, long, async (t) => {
    const named = path.join(plainFolder(), server);
    fs.writeFileSync(named, '');
    const seen = await onACopy('setup_machine.sh', [file, path.join(root, 'README.md'), named], '--systemd');
    if (!seen) { t.skip('this machine lets nobody boot a copy of itself'); return; }
    const { lines, ...facts } = seen.facts;
    // docs/gate.md has the same lines for those who write them by hand.
    const byHand = fs.readFileSync(path.join(root, 'docs/gate.md'), 'utf8').replaceAll('/mcp/files http://127.0.0.1:3002/', '/mcp http://127.0.0.1:3001/').replace(/\s+/g, ' ');
    assert.ok(byHand.includes(` ${lines}`), `${lines} in docs/gate.md`);
    assert.deepEqual(facts, {
      typed_lines: '4', dry_run: '0', says_no: 'Nothing was changed.', wrong_already: '1 1', nothing_changed: 'yes', wrong_with_ours: '1 1', site_file_taken_back: 'yes', reload_fails: '1 1 1', taken_back_after_that: 'yes 200', typed: '0',
      guarded: '401', signed_in_call: 'Anna', others_as_before: 'yes', doctor: '0 0', second_time: '0 1', second_time_changed_nothing: 'yes', another: '0', another_is_guarded: '401', fixes_a_gate: 'all is well', fixes_pages: 'all is well', fixes_an_owner: 'all is well', for_others: 'user ', audit_file: 'consentgate 600 0',
      owner: 'consentgate 600 consentgate 600 ', not_the_services: '', folder_of_root: '1 1',
    }, seen.stdout);
  });
}
