// Several web machines over one database, as behind a load balancer: each a demo of its own, all
// with one key file and one issuer. Owns: the demos, the folder of the key file. Does not own: the
// database servers (databases.mjs).
import fs from 'node:fs';
import path from 'node:path';
import { startDatabases } from './databases.mjs';
import { makeCertificates } from './metadata_host.mjs';
import { childrenOf, freePort, plainFolder, startServer } from './server.mjs';

// in:  orders  for each machine the nodes of the database it knows, in its order
//      env     more settings
// out: an array of servers (server.mjs) with
//      number(statement)  the first column of the first row of an answer, as a number, from the
//        first node of the first machine
//      change(statement)  runs a statement there that changes rows
//      pids()   of all masters and workers
//      logs()   of all
//      authority  (upstreams.mjs) of the services that they trust, unless env names another
//      stop()   all of them; the database goes on
export async function startMachines(databases, orders, { workers = 4, env = {} } = {}) {
  const folder = plainFolder();
  const authority = makeCertificates(folder, ['localhost']);
  const issuer = `http://127.0.0.1:${await freePort()}`;
  const machines = [];
  const settings = (order) => ({
    ...databases.env(...order), CONSENTGATE_KEY_FILE: path.join(folder, 'consentgate.key'),
    CONSENTGATE_ISSUER: issuer, CONSENTGATE_RESOURCES: `${issuer}/mcp`, CONSENTGATE_SERVICE_CA: authority.ca, ...env,
  });
  const stop = async () => {
    const ends = await Promise.allSettled(machines.map((machine) => machine.stop()));
    fs.rmSync(folder, { recursive: true, force: true });
    for (const { reason } of ends) if (reason) throw reason;
  };
  try {
    // One after the other: the first makes the key file, which a second machine gets as a copy
    // before its own start.
    for (const order of orders) {
      const machine = await startServer({ workers, env: settings(order) });
      machines.push(Object.assign(machine, { issuer, resource: `${issuer}/mcp` }));
    }
  } catch (error) {
    await stop().catch(() => {});
    throw error;
  }
  return Object.assign(machines, {
    stop,
    authority,
    number: async (statement) => Number(await databases.sql(orders[0][0], statement)),
    change: (statement) => databases.sql(orders[0][0], statement),
    pids: () => machines.flatMap((machine) => ['consentgate', 'mcp'].flatMap((name) => programPids(machine, name))),
    logs: () => machines.map((machine) => machine.logs()).join('\n'),
  });
}

// Database servers and machines for the length of `run(databases, machines)`.
export async function withMachines(kind, orders, run) {
  const databases = await startDatabases(kind);
  let machines;
  try {
    machines = await startMachines(databases, orders);
    await run(databases, machines);
  } finally {
    try { await machines?.stop(); } finally { await databases.stop(); }
  }
}

// A SQLite server as the only machine over its database.
export const loneMachine = (server) => Object.assign([server], { number: async (statement) => Object.values(server.sql(statement)[0])[0] });

// The flow as the same browser goes on with it at another machine.
export const via = (machine, flow) => ({ ...flow, browser: flow.browser.at(machine.base) });

function programPids(machine, name) {
  const master = Number(fs.readFileSync(path.join(machine.var, `${name}.pid`), 'utf8').trim());
  return [master, ...childrenOf(master)];
}
