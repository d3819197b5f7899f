// Sessions, codes and flows from before a stop of the whole server go on after the next start.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { codeFor, journey, redeem, rpc, startFlow, submit, whoami } from './support/journey.mjs';
import { freshFolder, freePort, startServer } from './support/server.mjs';

test('S12 O5: sessions, codes, flows and keys outlive a restart, and the key file stays', { timeout: 240000 }, async () => {
  const folder = freshFolder('restart');
  const port = await freePort();
  const first = await startServer({ folder, port });
  const key = await first.addKey('laptop');
  const [done, coded, open] = [await journey(first, { identity: { userId: 'ada' } }), await codeFor(first), await startFlow(first)];
  const keyFile = fs.readFileSync(first.keyFile, 'utf8');
  await first.stop();
  const second = await startServer({ folder, port });
  try {
    assert.equal(fs.readFileSync(second.keyFile, 'utf8'), keyFile);
    assert.equal((await whoami(second, done.token)).identity, 'ada');
    const { access_token: token } = (await redeem(second, coded, coded.code)).json();
    assert.equal((await rpc(second, token, 'tools/list')).status, 200);
    assert.equal((await submit(open)).status, 302);
    assert.equal((await whoami(second, (await journey(second, { identity: { virtualKey: key.virtual_key } })).token)).identity_kind, 'virtual_key');
  } finally {
    await second.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  }
});
