// Starts database servers through tests/support/databases.sh, whose head tells what can be done to
// them, and stops them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { root } from './server.mjs';

// The answer to one command without its `ok`; throws when it begins with `failed`.
const answered = (command, line) => {
  if (line === undefined) throw new Error(`${command}: the database servers are gone`);
  if (!line.startsWith('ok')) throw new Error(`${command}: ${line}`);
  return line.slice(2).trim();
};

// in:  kind   as databases.sh names it: postgresql, postgresql-pair, mariadb, galera
// out: nodes     [{ host, port, pid }], the first is node 1
//      url(...)  the address for the setting `database`; it names the given nodes in this order, or
//        all of them
//      password, passwordFile   of our user there
//      env(...)  CONSENTGATE_ settings for those nodes, for a program's environment
//      tell(command)  one command of databases.sh: its answer. Commands queue up, so a promise need
//        not be awaited at once
//      sql(node, statement)  the first column of the first row
//      stop()    ends the servers and removes their folder
export async function startDatabases(kind) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'consentgate-db-')); // no blank, and short: sockets are in it
  const child = spawn(path.join(root, 'tests/support/databases.sh'), [kind, folder], { cwd: root, stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = once(child, 'close');
  let complaint = '';
  child.stderr.on('data', (bytes) => { complaint += bytes; });
  child.stdin.on('error', () => {}); // it ended: the next answer says so
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => (await lines.next()).value;

  const nodes = [];
  for (let line = await next(); line !== 'ready'; line = await next()) {
    if (line === undefined) {
      await ended; // then it has said why
      fs.rmSync(folder, { recursive: true, force: true });
      throw new Error(`${kind} did not start: ${complaint}`);
    }
    const [word, , host, port, pid] = line.split('\t');
    if (word === 'node') nodes.push({ host, port: Number(port), pid: Number(pid) });
  }

  const passwordFile = path.join(folder, 'password');
  const engine = kind.startsWith('postgresql') ? 'postgresql' : 'mariadb';
  const url = (...wanted) => {
    const chosen = wanted.length ? wanted.map((node) => nodes[node - 1]) : nodes;
    return `${engine}://consentgate@${chosen.map(({ host, port }) => `${host}:${port}`).join(',')}/consentgate`;
  };
  let last = Promise.resolve();
  const tell = (command) => {
    const mine = last.then(async () => {
      child.stdin.write(`${command}\n`);
      return answered(command, await next());
    });
    last = mine.catch(() => {});
    return mine;
  };
  return {
    kind, folder, nodes, url, passwordFile,
    password: fs.readFileSync(passwordFile, 'utf8'),
    env: (...wanted) => ({ CONSENTGATE_DATABASE: url(...wanted), CONSENTGATE_DATABASE_PASSWORD_FILE: passwordFile }),
    tell,
    sql: (node, statement) => tell(`sql ${node} ${statement}`),
    async stop() {
      child.stdin.end();
      await ended;
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}
