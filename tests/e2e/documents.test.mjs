// The documents: each fenced block says where it is typed, and each command in one is typed there
// as it stands. `sh checkout` is a copy of this checkout; every other place is a machine that a
// systemd runs, where documents_machine.sh types.
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { freePort, plainFolder, root, until } from './support/server.mjs';

const run = promisify(execFile);
const build = process.env.BUILD || 'build/asan';
const long = { timeout: 600000 };
// In the order in which an operator comes to them; what one sets up the next ones find.
const onTheMachine = ['README.md', 'docs/services.md', 'docs/gate.md', 'docs/sites.md', 'docs/access.md', 'docs/operating.md', 'docs/upgrade.md', 'docs/machines.md', 'docs/troubleshooting.md', 'docs/databases.md', 'docs/signin.md'];
const machineKinds = ['sh machine', 'sh old-machine', 'sh unix-gate', 'sh no-systemd', 'apache vhost', 'apache example', 'nginx balancer', 'ini consentgate.conf', 'ini example', 'lighttpd example', 'nginx example', 'sql postgresql'];
const elsewhereKinds = ['sh nginx-machine', 'sh lighttpd-machine']; // package.test.mjs types these
const shownKinds = ['text', 'json'];
const serverKinds = ['python server', 'js server']; // facts.test.mjs runs these
const kinds = [...machineKinds, ...elsewhereKinds, ...shownKinds, ...serverKinds, 'sh checkout', 'sh client'];
// Commands that cannot be typed from inside of themselves.
const typedElsewhere = {
  'make check': () => assert.match(read('tests/check.sh'), /tests\/e2e\/\*\.test\.mjs/, 'make check types this file'),
  'node --test tests/e2e/documents.test.mjs': () => assert.match(import.meta.url, /tests\/e2e\/documents\.test\.mjs$/),
};
// Clients are programs of others: the test that types a command of theirs as docs/clients.md has
// it, with the address of its own server; or the reason why none does.
const clientPrograms = new Map([
  ['npx mcp-remote', 'support/real_clients.mjs'],
  ['npx @modelcontextprotocol/inspector', 'support/real_clients.mjs'],
  ['codex mcp add', 'support/codex_cli.mjs'],
  ['codex mcp login', 'support/codex_cli.mjs'],
  ['opencode mcp auth', 'support/opencode.mjs'],
  ['opencode mcp logout', 'support/opencode.mjs'],
  ['claude mcp add', { why: 'its licence lets nobody pass it on, and it starts only for people with an account' }],
  ['goose configure', { why: 'it is on no registry that these tests fetch from, and it asks at a terminal' }],
]);
const programs = /^(# |\$ |sudo )?(make|apt(-get)?|consentgate(-admin)?|runuser|systemctl|a2en\w+|spawn-fcgi|curl|node|npm|cp|install|psql)\s/;

const read = (name) => fs.readFileSync(path.join(root, name), 'utf8');
const names = [...fs.readdirSync(root), ...fs.readdirSync(path.join(root, 'docs')).map((name) => `docs/${name}`)].filter((name) => name.endsWith('.md'));

// The blocks of a document, and what is wrong with them.
function blocksOf(name, text) {
  const blocks = [];
  const problems = [];
  let open;
  let before = '';
  for (const [at, line] of text.split('\n').entries()) {
    const fence = /^(\s*)```(.*)$/.exec(line);
    if (fence && open) {
      blocks.push(open);
      open = undefined;
    } else if (fence) {
      open = { place: `${name}:${at + 1}`, kind: fence[2].trim(), lines: [] };
      if (fence[1] !== '') problems.push(`${open.place}: a fence is not indented`);
      if (!kinds.includes(open.kind)) problems.push(`${open.place}: no test types blocks of the kind "${open.kind}"`);
      if (machineKinds.includes(open.kind) && !onTheMachine.includes(name)) problems.push(`${open.place}: no test types this document's blocks on a machine`);
    } else if (open) {
      open.lines.push(line);
      if (shownKinds.includes(open.kind) && programs.test(line)) problems.push(`${name}:${at + 1}: a command in a block that no test types`);
    } else if (/^ {4,}\S/.test(line) && before === '') {
      problems.push(`${name}:${at + 1}: an indented block, which no test types`);
    } else if (/^(\$|sudo|apt-get|runuser|systemctl|consentgate-admin) /.test(line.trim())) {
      problems.push(`${name}:${at + 1}: a command outside of a block`);
    }
    before = line.trim();
  }
  if (open) problems.push(`${open.place}: a fence without its end`);
  return { blocks, problems };
}

const allBlocks = names.flatMap((name) => blocksOf(name, read(name)).blocks);

test('O16: every block of a document is of a kind that a test types, and no command stands outside of one', () => {
  assert.deepEqual(names.flatMap((name) => blocksOf(name, read(name)).problems), []);
  assert.ok(allBlocks.length > 30, `only ${allBlocks.length} blocks were found`);
  assert.ok(read('README.md').split('\n').length <= 131, 'README has at most 130 lines');
  const planted = ['```sh elsewhere\nrm -rf /\n```', '```text\nmake everything\n```', 'Then:\n\n    make it so\n', '```sh machine\n', '  ```text\n```', '$ make run\n'];
  for (const text of planted) assert.equal(blocksOf('README.md', text).problems.length, 1, text);
  assert.equal(blocksOf('CHANGELOG.md', '```sh machine\ntrue\n```').problems.length, 1);
});

test('O16: every command of a client is typed by the test of that client, or has the reason why it is not', () => {
  const commands = allBlocks.filter(({ kind }) => kind === 'sh client').flatMap(({ lines }) => lines).filter(Boolean);
  assert.ok(commands.length >= clientPrograms.size);
  for (const command of commands) {
    const [program, typist] = [...clientPrograms].find(([beginning]) => command.startsWith(beginning)) ?? [];
    assert.ok(program, `no test types "${command}"`);
    if (typist.why) continue;
    assert.ok(read(`tests/e2e/${typist}`).includes(`'${program}`), `tests/e2e/${typist} does not type "${program}"`);
  }
});

test('O16: every command that a document mentions in its prose is there', long, async () => {
  const admin = path.resolve(root, build, 'consentgate-admin');
  const environment = { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' };
  const help = (await run(admin, ['--help'], { env: environment })).stdout;
  const targets = [...read('Makefile').matchAll(/^([a-z-]+):/gm)].map((found) => found[1]);
  const missing = [];
  for (const name of names.filter((one) => one !== 'CHANGELOG.md')) {
    for (const [, mention] of read(name).matchAll(/`([^`\n]+)`/g)) {
      const make = /^make ([a-z-]+)/.exec(mention);
      if (make && !targets.includes(make[1])) missing.push(`${name}: ${mention}`);
      const command = /^consentgate-admin ([a-z-]+(?: [a-z]+)?)/.exec(mention);
      if (command && !help.includes(`\n  ${command[1]}`)) missing.push(`${name}: ${mention}`);
    }
  }
  assert.deepEqual(missing, []);
});

test('O16: every page that the troubleshooting quotes says these words', () => {
  const words = read('conf/pages/messages.en.properties');
  const [, people] = /^## People\n([^]*?)^## /m.exec(read('docs/troubleshooting.md'));
  const quoted = [...people.matchAll(/^\| "([^"]+)" \|/gm)].map((found) => found[1]);
  assert.ok(quoted.length > 4);
  assert.deepEqual(quoted.filter((one) => !words.includes(` = ${one}`)), []);
});

// A copy of this checkout. Its release build is a copy of the build that is tested, so that
// `make run` compiles nothing again: the objects are newer than the sources, and the flags that
// the environment gives are those that the objects were compiled with.
function copyCheckout() {
  const folder = path.join(plainFolder(), 'checkout');
  const tested = path.resolve(root, build);
  fs.mkdirSync(path.join(folder, 'build/asan'), { recursive: true });
  for (const name of fs.readdirSync(root).filter((one) => !['build', 'var', '.git'].includes(one))) {
    execFileSync('cp', ['-a', path.join(root, name), folder]);
  }
  execFileSync('cp', ['-a', path.join(root, 'build/gen'), path.join(folder, 'build')]);
  for (const name of fs.readdirSync(tested).filter((one) => !['x', 'tests', 'fuzz'].includes(one))) {
    execFileSync('cp', ['-a', path.join(tested, name), path.join(folder, 'build/asan')]);
  }
  fs.symlinkSync('asan', path.join(folder, 'build/release'));
  return folder;
}

// MAKEFLAGS that give both builds the compiler and the flags of the tested one.
function flagsOfTheBuild() {
  const [, compiler, flags] = /^(.*?) -std=.* -Ibuild\/gen (.*)$/m.exec(fs.readFileSync(path.resolve(root, build, 'flags'), 'utf8'));
  const words = flags.split(' ');
  const [last, rest] = [words.pop(), words.join(' ')];
  const set = { CXX: compiler, FLAGS_release: rest, FLAGS_release_x: last, FLAGS_asan: rest, FLAGS_asan_x: last };
  return Object.entries(set).map(([name, value]) => `${name}=${value.replaceAll(' ', '\\ ')}`).join(' ');
}

async function typeRun(folder, port, environment) {
  const child = spawn('make', ['run'], { cwd: folder, env: { ...environment, PORT: String(port) }, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => { output += bytes; });
  const ended = once(child, 'exit');
  try {
    await until(() => { assert.equal(child.exitCode, null, output); return /is ready/.test(output); }, 'make run to be ready', 300000);
    assert.equal((await fetch(`http://127.0.0.1:${port}/.well-known/oauth-authorization-server`)).status, 200);
  } finally {
    process.kill(-child.pid, 'SIGINT'); // as Ctrl-C does
    await ended;
  }
}

let copy;
let packageFile;
after(() => { if (copy) fs.rmSync(path.dirname(copy), { recursive: true }); });

test('O16: in a checkout, every command that a document names does what it says', long, async () => {
  copy = copyCheckout();
  const environment = { ...process.env, MAKEFLAGS: flagsOfTheBuild(), BUILD: '', ASAN_OPTIONS: 'detect_leaks=0' };
  delete environment.MAKELEVEL; // a person's make is no part of `make check`
  const commands = new Set(allBlocks.filter(({ kind }) => kind === 'sh checkout').flatMap(({ lines }) => lines).filter(Boolean));
  assert.ok(commands.has('make run') && commands.has('make deb'));
  for (const command of commands) {
    if (typedElsewhere[command]) typedElsewhere[command]();
    else if (command === 'make run') await typeRun(copy, await freePort(), environment);
    else {
      // The package is made of the programs that are tested, as package.test.mjs makes it.
      const more = command === 'make deb' ? { MAKEFLAGS: `BUILD=build/asan ${environment.MAKEFLAGS}` } : {};
      const { stdout } = await run('bash', ['-c', command], { cwd: copy, env: { ...environment, ...more }, maxBuffer: 1 << 24 });
      if (command === 'make deb') packageFile = path.join(copy, stdout.trim().split('\n').findLast((line) => line.endsWith('.deb')));
    }
  }
  assert.ok(fs.existsSync(packageFile), packageFile);
});

test('O16: on a machine, every command and every line of configuration does what its document says', long, async (t) => {
  const folder = plainFolder();
  const steps = onTheMachine.flatMap((name) => {
    const own = allBlocks.filter(({ place, kind }) => place.startsWith(`${name}:`) && machineKinds.includes(kind));
    return [...own.filter(({ kind }) => kind === 'sh old-machine'), ...own.filter(({ kind }) => kind !== 'sh old-machine')];
  });
  const script = path.join(folder, 'steps.sh');
  fs.writeFileSync(script, steps.map(({ place, kind, lines }) => `step '${place}' '${kind}' <<'END OF BLOCK'\n${lines.join('\n')}\nEND OF BLOCK\n`).join(''));
  const support = (name) => path.join(root, 'tests/e2e/support', name);
  const { stdout, code } = await run(support('throwaway.sh'), ['--systemd', support('documents_machine.sh'), packageFile, script],
    { maxBuffer: 1 << 24, timeout: 500000, killSignal: 'SIGKILL' }).catch((error) => error);
  if (code === 77) { t.skip('this machine lets nobody boot a copy of itself'); return; }
  const facts = Object.fromEntries(stdout.split('\n').filter((line) => /^[\w/.]+:\d+=/.test(line)).map((line) => line.split('=')));
  assert.deepEqual(facts, Object.fromEntries(steps.map(({ place }) => [place, '0'])), stdout);
});
