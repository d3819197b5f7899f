// Every real client must be able to do this, whatever web server is in front: the tests of
// client_journeys.test.mjs and client_journeys_apache.test.mjs.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { deleteRegistration, endAccessTokens, gateAsksFor, personAt, timePasses } from './app.mjs';
import { clientName } from './journey.mjs';
import { realClients } from './real_clients.mjs';
import { freePort, plainFolder } from './server.mjs';

const options = { timeout: 180000 };
const nobody = (address) => { throw new Error(`a person was asked: ${address}`); };
const scopesOf = (text) => text.split(' ').sort();

// in: front     its name
//     serverOf  gives the running server
export function testRealClients(front, serverOf) {
  for (const kind of realClients) {
    const titled = (what) => `XE8: behind ${front} ${what.replace('%', kind.name)}`;
    const inFolder = async (work) => {
      const folder = plainFolder();
      const opened = [];
      const port = await freePort();
      const open = () => { opened.push(kind.open(serverOf(), folder, port)); return opened.at(-1); };
      try { await work(open); } finally {
        for (const client of opened) await client.stop();
        fs.rmSync(folder, { recursive: true, force: true });
      }
    };
    const asked = [];
    const person = (address) => { asked.push(new URL(address)); return personAt(serverOf(), address, { userId: 'ada' }); };

    test(titled('% signs in, calls, steps up to a second scope, refreshes, and begins again when its registration was deleted'), { ...options, skip: kind.skip }, () => inFolder(async (open) => {
      const server = serverOf();
      asked.length = 0;
      let client = open();
      assert.equal((await client.call('whoami', person)).identity, 'ada');
      assert.deepEqual([asked.length, asked[0].searchParams.get('scope'), asked[0].searchParams.get('resource')], [1, 'mcp', server.resource]);
      const id = client.clientId();
      assert.ok(await clientName(server, id));

      const profile = await client.call('profile', person);
      assert.deepEqual([profile.scope, profile.identity, profile.client_id], ['mcp profile', 'ada', id]);
      assert.deepEqual([asked.length, scopesOf(asked[1].searchParams.get('scope')), asked[1].searchParams.get('client_id')], [2, ['mcp', 'profile'], id]);

      endAccessTokens(server, id);
      assert.equal((await client.call('profile', nobody)).scope, 'mcp profile', 'a refresh keeps both scopes');
      await client.stop();
      client = open(); // tomorrow
      endAccessTokens(server, id);
      assert.equal((await client.call('whoami', nobody)).identity, 'ada');

      deleteRegistration(server, id);
      endAccessTokens(server, id);
      const anew = await client.call('whoami', person);
      assert.notEqual(anew.client_id, id);
      assert.deepEqual([asked.length, anew.client_id, anew.identity], [3, client.clientId(), 'ada']);
    }));

    test(titled('two processes of % that share a store refresh at once, and one after the other, and neither is signed out'), { ...options, skip: kind.skip }, () => inFolder(async (open) => {
      const server = serverOf();
      asked.length = 0;
      const first = open();
      const { client_id: id } = await first.call('whoami', person);
      const second = open(); // has read the store
      assert.equal((await second.call('whoami', nobody)).client_id, id);
      endAccessTokens(server, id);
      for (const said of await Promise.all([first, second].map((client) => client.call('whoami', nobody)))) assert.equal(said.identity, 'ada');
      endAccessTokens(server, id);
      assert.equal((await first.call('whoami', nobody)).identity, 'ada');
      timePasses(server);
      assert.equal((await second.call('whoami', nobody)).identity, 'ada', 'the process that was left behind');
      assert.equal((await first.call('whoami', nobody)).identity, 'ada');
      assert.equal(asked.length, 1);
      assert.equal(server.sql(`SELECT COUNT(*) AS n FROM session WHERE client_id = '${id}' AND revoked_at IS NULL`)[0].n, 1);
    }));
  }

  // The operator asks for more scopes than these sessions have: the gate itself refuses the next
  // call. The first version of the SDK and @ai-sdk/mcp leave that to their application, as above.
  test(`XE8: behind ${front} every client that steps up by itself does so when the gate asks for one more scope`, options, async (t) => {
    const server = serverOf();
    const kinds = realClients.filter(({ name, skip }) => !skip && !['the SDK', '@ai-sdk/mcp'].includes(name));
    if (kinds.length === 0) { t.skip('needs Node.js 20'); return; }
    const signedIn = [];
    try {
      for (const kind of kinds) {
        const folder = plainFolder();
        const asked = [];
        const person = (address) => { asked.push(new URL(address)); return personAt(server, address, { userId: 'ada' }); };
        const client = kind.open(server, folder, await freePort());
        signedIn.push({ kind, folder, asked, person, client });
        assert.equal((await client.call('whoami', person)).identity, 'ada');
      }
      await gateAsksFor(server, 'mcp profile');
      for (const { kind, asked, person, client } of signedIn) {
        assert.equal((await client.call('whoami', person)).identity, 'ada', kind.name);
        assert.deepEqual([asked.length, scopesOf(asked[1].searchParams.get('scope'))], [2, ['mcp', 'profile']], kind.name);
      }
    } finally {
      for (const { client, folder } of signedIn) { await client.stop(); fs.rmSync(folder, { recursive: true, force: true }); }
      await gateAsksFor(server, 'mcp');
    }
  });
}
