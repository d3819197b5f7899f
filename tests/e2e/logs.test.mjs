// Other programs use our logs: logrotate moves the audit file away, and fail2ban finds the address
// of whoever guesses keys; both with the files of conf/ as they are shipped.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { journey, post, startFlow } from './support/journey.mjs';
import { plainFolder, root, startServer, until } from './support/server.mjs';

const run = promisify(execFile);
const folder = plainFolder();
const inFolder = (name) => path.join(folder, name);
const audit = inFolder('audit.log');
const shipped = (name) => fs.readFileSync(path.join(root, 'conf', name), 'utf8');
const lines = (file) => fs.readFileSync(file, 'utf8').split('\n').filter((line) => line.includes('event=audit'));
let server;

before(async () => { server = await startServer({ env: { CONSENTGATE_AUDIT_FILE: audit } }); }, { timeout: 120000 });
after(async () => { await server?.stop(); fs.rmSync(folder, { recursive: true, force: true }); }, { timeout: 60000 });

// In: how many wrong keys somebody sends.
async function guess(times) {
  const flow = await startFlow(server);
  for (let at = 0; at < times; at += 1) assert.match((await post(flow, 'vk', { vk: `sk-bf-wrong-${at}` })).location, /error=invalid_virtual_key/);
}

async function matches(text) {
  fs.writeFileSync(inFolder('asked.log'), text);
  const { stdout } = await run('fail2ban-regex', ['--print-all-matched', inFolder('asked.log'), path.join(root, 'conf/fail2ban/filter.conf')]);
  return { count: Number(/^Lines: \d+ lines, \d+ ignored, (\d+) matched/m.exec(stdout)[1]), stdout };
}

test('O19: fail2ban finds each wrong key in the audit file by the shipped filter, and nothing else', async () => {
  await guess(3);
  await journey(server, { identity: { virtualKey: (await server.addKey('Anna')).virtual_key } });
  const written = lines(audit);
  const wrong = written.filter((line) => line.includes('what=virtual_key_refused'));
  assert.equal(wrong.length, 3);
  assert.ok(written.some((line) => line.includes('what=virtual_key_used')));
  const { count, stdout } = await matches(`${written.join('\n')}\n`);
  assert.equal(count, 3, stdout);
  assert.ok(stdout.includes('address=127.0.0.1'));
  const sixth = wrong[0].replace('address=127.0.0.1', 'address=2001:db8::7');
  assert.equal((await matches(`${sixth}\n`)).count, 1, 'an IPv6 address');
  // A line of another event that quotes one, and a word after the address.
  const quoted = wrong[0].replace('event=audit what=virtual_key_refused', 'event=audit what=consent_given client="event=audit what=virtual_key_refused"');
  assert.equal((await matches(`${quoted}\n${wrong[0]} more\n`)).count, 0);
});

test('O19: fail2ban accepts the shipped jail with its filter', async () => {
  const settings = inFolder('fail2ban');
  fs.cpSync('/etc/fail2ban', settings, { recursive: true });
  fs.writeFileSync(path.join(settings, 'filter.d/consentgate.conf'), shipped('fail2ban/filter.conf'));
  fs.writeFileSync(path.join(settings, 'jail.d/consentgate.conf'), shipped('fail2ban/jail.conf').replace('/var/lib/consentgate/audit.log', audit));
  fs.rmSync(path.join(settings, 'jail.d/defaults-debian.conf'), { force: true }); // sshd, which is not here
  const { stdout } = await run('fail2ban-client', ['-c', settings, '-d']);
  assert.match(stdout, /'start', 'consentgate'/);
  assert.match(stdout, /'set', 'consentgate', 'maxretry', 10\]/);
  assert.ok(stdout.includes(audit));
});

test('O19: logrotate moves the audit file away by the shipped file, and no event is lost or torn', async () => {
  const me = ['-un', '-gn'].map((option) => execFileSync('id', [option], { encoding: 'utf8' }).trim()).join(' ');
  const text = shipped('logrotate/consentgate').replaceAll('consentgate consentgate', me); // users of the package
  assert.equal(text.split(me).length, 3);
  const config = inFolder('logrotate.conf');
  fs.writeFileSync(config, text);
  const dry = await run('logrotate', ['-d', config]).catch((error) => error);
  assert.equal(dry.code ?? 0, 0, dry.stderr);
  assert.doesNotMatch(dry.stderr, /^error/m);
  assert.match(dry.stderr, /rotating pattern: \/var\/lib\/consentgate\/audit\.log +weekly \(53 rotations\)/);

  const pids = ['consentgate', 'gate'].map((name) => fs.readFileSync(path.join(server.var, `${name}.pid`), 'utf8').trim());
  const here = text.replaceAll('/var/lib/consentgate/audit.log', audit).replace(/systemctl .*/, `kill -HUP ${pids.join(' ')}`);
  assert.ok(here.includes('kill -HUP'));
  fs.writeFileSync(config, here);
  await guess(2);
  const before = lines(audit);
  await run('logrotate', ['--force', '--state', inFolder('state'), config]);
  const earlier = `${audit}.1`;
  assert.deepEqual(lines(earlier).slice(0, before.length), before);
  await until(() => (server.logs().match(/event=reloaded/g) ?? []).length >= 2, 'both programs to have reloaded');
  const flows = lines(audit).length;
  await guess(2);
  assert.equal(lines(audit).length, flows + 2, 'what comes after the reload is in the new file');
  assert.equal(fs.statSync(audit).mode & 0o777, 0o600);
});
