// Exactly one: of many submits of one flow, of many redemptions of one code, and of a submit
// against a late identity.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { register } from './support/journey.mjs';
import { loneMachine } from './support/machines.mjs';
import { raceDenials, raceIdentities, raceRedemptions, raceSubmits, submitUnderLoad } from './support/races.mjs';
import { startServer } from './support/server.mjs';

const long = { timeout: 400000 };
let server;
let machines;
let client;

before(async () => {
  server = await startServer({ workers: 8 });
  machines = loneMachine(server);
  client = await register(server);
  assert.equal(server.workerPids().length, 8);
}, { timeout: 240000 });
after(async () => { await server?.stop(); }, { timeout: 120000 });

test('S3: 500 flows, each submitted 8 times at once and again later, give 500 codes and no 5xx', long, async () => {
  await raceSubmits(machines, { client, flows: 500 });
});

test('T17: 200 codes redeemed 8 times at once give one token each', long, async () => {
  await raceRedemptions(machines, { client, codes: 200 });
});

test('S3: an identity that races a submit never brings the flow back', long, async () => {
  await raceIdentities(machines, { client, key: await server.addKey('racer'), flows: 100 });
});

test('S3: of a submit and a denial at the same moment one wins', long, async () => {
  await raceDenials(machines, { client, flows: 60 });
});

test('S3: an identity chosen before the submit is the one in the session, under load too', long, async () => {
  await submitUnderLoad(machines, { client, flows: 60 });
});
