// Real clients from npm behind Apache and the gate, with the files as they are shipped.
import { after, before } from 'node:test';
import { testRealClients } from './support/client_journeys.mjs';
import { startDemo } from './support/demo_behind.mjs';

let server;
before(async () => { server = await startDemo('Apache'); }, { timeout: 240000 });
after(async () => { await server?.stop(); }, { timeout: 120000 });

testRealClients('Apache', () => server);
