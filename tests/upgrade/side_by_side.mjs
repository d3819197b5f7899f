// Upgrades two machines on one database, one after the other, while people sign in all the time
// (`make upgrade-check FROM=COMMIT`). Both begin with the version before; each step is reported.
//   node side_by_side.mjs CHECKOUT-OF-BEFORE [sqlite|postgresql|mariadb|galera …]
// Fails when an answer was wrong, or something that was acknowledged is gone.
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { startDatabases } from '../e2e/support/databases.mjs';
import { assertKept, Load } from '../e2e/support/load.mjs';
import { freePort, plainFolder, root, sleep, startServer } from '../e2e/support/server.mjs';

const run = promisify(execFile);
const [given, ...wanted] = process.argv.slice(2);
const before = path.resolve(given);
const engines = wanted.length ? wanted : ['sqlite', 'postgresql', 'mariadb'];
const seconds = Number(process.env.SECONDS || 10);
const admin = path.resolve(root, process.env.BUILD || 'build/release', 'consentgate-admin');
let failed = 0;

// In: what is going on, the machines that people use, and what happens meanwhile.
async function step(engine, what, machines, number, meanwhile = async () => {}) {
  const load = await new Load(machines, { lanes: 4 }).start();
  let problem;
  try {
    await sleep(seconds * 250);
    await meanwhile();
    await sleep(seconds * 750);
  } catch (error) { problem = error; } finally { await load.stop(); }
  if (!problem) await assertKept(load, machines, number).catch((error) => { problem = error; });
  if (load.wrong.length > 0 || problem) failed += 1;
  console.log(`${engine}: ${what}: ${load.report()}${load.wrong.length ? `; ${load.wrong.length} wrong answers, the first: ${load.wrong[0].slice(0, 200)}` : ''}${problem ? `; ${String(problem.message).slice(0, 300)}` : ''}`);
}

async function upgrade(engine) {
  const folder = plainFolder();
  const databases = engine === 'sqlite' ? undefined : await startDatabases(engine);
  const issuer = `http://127.0.0.1:${await freePort()}`;
  const env = {
    ...(databases ? databases.env() : { CONSENTGATE_DATABASE: path.join(folder, 'consentgate.db') }), CONSENTGATE_KEY_FILE: path.join(folder, 'consentgate.key'),
    CONSENTGATE_ISSUER: issuer, CONSENTGATE_RESOURCES: `${issuer}/mcp`,
  };
  const started = [];
  const start = async (home) => {
    const machine = Object.assign(await startServer({ env, home, workers: 3 }), { issuer, resource: `${issuer}/mcp` });
    started.push(machine);
    return machine;
  };
  const number = async (statement) => Number(databases ? await databases.sql(1, statement) : (await run('sqlite3', ['-cmd', '.timeout 20000', env.CONSENTGATE_DATABASE, statement])).stdout);
  const stopped = async (machine) => { started.splice(started.indexOf(machine), 1); await machine.stop(); };
  try {
    let [one, two] = [await start(before), await start(before)];
    await step(engine, 'both machines have the version before', [one, two], number);
    await step(engine, 'the database is migrated', [one, two], number, () => run(admin, ['migrate'], { env: { ...process.env, ...env, CONSENTGATE_CONFIG: '/dev/null' } }));
    await stopped(one);
    one = await start();
    await step(engine, 'one machine has the new version', [one, two], number);
    await stopped(two);
    two = await start();
    await step(engine, 'both have the new version', [one, two], number);
  } finally {
    for (const machine of started) await machine.stop().catch((error) => { failed += 1; console.log(`${engine}: ${error.message.slice(0, 500)}`); });
    await databases?.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

for (const engine of engines) await upgrade(engine);
process.exitCode = failed ? 1 : 0;
