// Databases as an earlier version left them (tests/upgrade/VERSION): its own program wrote every
// row, by sign-ins, services and commands, and what it gave out is in known.json. Times move with
// the clock, so that nothing has expired.
//
// A new one is made after a release by that release's programs: sign in as known.json tells, then
// `sqlite3 .dump`, `pg_dump --inserts --no-owner --no-acl`, `mariadb-dump --hex-blob`.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { root } from './server.mjs';

export class Earlier {
  constructor(version) {
    this.folder = path.join(root, 'tests/upgrade', version);
    this.known = JSON.parse(this.read('known.json'));
  }

  read(name) { return fs.readFileSync(path.join(this.folder, name), 'utf8'); }

  // Every time of every row, by so many seconds later that it was written now.
  #shift() {
    const seconds = Math.floor(Date.now() / 1000) - this.known.at;
    return [...this.read('sqlite.sql').matchAll(/CREATE TABLE (\w+) \(([\s\S]*?)\);$/gm)].flatMap(([, table, columns]) => (
      [...columns.matchAll(/\b(\w+_(?:at|until)) +BIGINT/g)].map(([, column]) => `UPDATE ${table} SET ${column} = ${column} + ${seconds} WHERE ${column} IS NOT NULL;`)));
  }

  // in: folder  where the database and its key file are made, with the names that the demo has
  sqlite(folder) {
    fs.copyFileSync(path.join(this.folder, 'consentgate.key'), path.join(folder, 'consentgate.key'));
    fs.chmodSync(path.join(folder, 'consentgate.key'), 0o600);
    execFileSync('sqlite3', ['-bail', path.join(folder, 'consentgate.db')], { input: [this.read('sqlite.sql'), ...this.#shift()].join('\n') });
    return folder;
  }

  // in: databases  empty, as databases.mjs started them; folder  for the key file
  server({ kind, nodes: [{ host, port }], password }, folder) {
    fs.copyFileSync(path.join(this.folder, 'consentgate.key'), path.join(folder, 'consentgate.key'));
    fs.chmodSync(path.join(folder, 'consentgate.key'), 0o600);
    const input = [this.read(`${kind}.sql`), ...(kind === 'postgresql' ? ["SET search_path = 'public';"] : []), ...this.#shift()].join('\n');
    if (kind === 'postgresql') {
      execFileSync('psql', ['--quiet', '--no-psqlrc', '--set=ON_ERROR_STOP=1', `--dbname=postgresql://consentgate@${host}:${port}/consentgate`], { input, env: { ...process.env, PGPASSWORD: password }, stdio: ['pipe', 'ignore', 'inherit'] });
      return;
    }
    const settings = path.join(folder, 'client.cnf');
    fs.writeFileSync(settings, `[client]\nhost=${host}\nport=${port}\nuser=consentgate\npassword=${password}\nprotocol=tcp\n`, { mode: 0o600 });
    execFileSync('mariadb', [`--defaults-extra-file=${settings}`, 'consentgate'], { input });
  }
}
