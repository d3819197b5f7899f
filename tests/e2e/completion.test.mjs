// The shell completes every noun, verb and option that tests/app/names.txt lists, and nothing else;
// the manual page has them too.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { root } from './support/server.mjs';

const build = path.resolve(root, process.env.BUILD || 'build/asan');
const long = { timeout: 300000 };
const names = fs.readFileSync(path.join(root, 'tests/app/names.txt'), 'utf8').split('\n');
const commands = names.filter((line) => line.startsWith('command ')).map((line) => line.split(' ').slice(1).filter((word) => /^[a-z][a-z-]*$/.test(word)).join(' '));
const nouns = [...new Set(commands.map((name) => name.split(' ')[0]))].sort();
const optionsOf = (command) => names.filter((line) => line.startsWith(`option ${command} --`)).map((line) => /--[a-z-]+/.exec(line)[0]);

// The shell offers this after each of the lines, whose last word is the one that is being typed.
function offered(lines) {
  const script = `source '${path.join(root, 'conf/completion/consentgate-admin.bash')}'
    while IFS= read -r line; do
      IFS=' ' read -ra COMP_WORDS <<<"$line"
      [[ $line != *' ' ]] || COMP_WORDS+=('')
      COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)) COMPREPLY=()
      _consentgate_admin '${path.join(build, 'consentgate-admin')}'
      echo "\${COMPREPLY[*]}"
    done`;
  const out = execFileSync('bash', ['-c', script], { cwd: root, input: `${lines.join('\n')}\n`, encoding: 'utf8' });
  return out.split('\n').slice(0, -1).map((line) => line.split(' ').filter(Boolean));
}

test('XF4: every noun and every verb is completed', long, () => {
  assert.ok(commands.length > 60);
  const [all] = offered(['consentgate-admin ']);
  assert.deepEqual(all, nouns);
  const [some, none] = offered(['consentgate-admin ser', 'consentgate-admin xyz']);
  assert.deepEqual([some, none], [['server-key', 'service'], []]);
  const withVerbs = nouns.filter((noun) => !commands.includes(noun));
  const verbs = offered(withVerbs.map((noun) => `consentgate-admin ${noun} `));
  withVerbs.forEach((noun, at) => assert.deepEqual(verbs[at], commands.filter((name) => name.startsWith(`${noun} `)).map((name) => name.split(' ')[1]).sort(), noun));
  assert.deepEqual(offered(['consentgate-admin --config /etc/consentgate.conf key '])[0], verbs[withVerbs.indexOf('key')]);
});

test('XF4: every option of every command is completed, values that are files as files, and others not as options', long, () => {
  const found = offered(commands.map((name) => `consentgate-admin ${name} --`));
  commands.forEach((name, at) => assert.deepEqual(found[at], [...new Set([...optionsOf(name), '--config', '--help'])].sort(), name));
  const [config, secret, title, backup] = offered(['consentgate-admin key list --config READ', 'consentgate-admin idp add corp --client-secret-file READ', 'consentgate-admin idp add corp --title ', 'consentgate-admin backup READ']);
  assert.deepEqual([config, secret, title, backup], [['README.md'], ['README.md'], [], ['README.md']]);
});

test('XF4: the manual page has every command and every option', long, () => {
  const out = fs.mkdtempSync(path.join(root, 'build', 'man-'));
  try {
    execFileSync('bash', [path.join(root, 'docs/man/generate.sh'), path.join(build, 'consentgate-admin'), out], { cwd: root });
    const page = fs.readFileSync(path.join(out, 'consentgate-admin.8'), 'utf8').replaceAll('\\-', '-');
    for (const name of commands) {
      const section = page.split('\n.SS ').find((text) => text.startsWith(`${name} `) || text.startsWith(`${name}\n`));
      assert.ok(section, name);
      for (const option of optionsOf(name)) assert.ok(section.includes(`\\fB${option}`), `${name} ${option}`);
    }
  } finally { fs.rmSync(out, { recursive: true, force: true }); }
});
