// The addresses of clients that read no metadata, behind each web server: nobody is there as the
// files are shipped, and consentgate once their lines are uncommented.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { form, postForm, postJson, query, send } from './support/browser.mjs';
import { fronts, startFront } from './support/fronts.mjs';
import { api, loopback, startFlow, submit, tokenParameters } from './support/journey.mjs';
import { startServerBehind } from './support/mcp_behind.mjs';

const options = { timeout: 240000 };
let behind;
before(async () => { behind = await startServerBehind(); }, options);
after(async () => { await behind?.stop(); }, options);
const guards = () => [{ at: '/mcp', port: behind.port }];

for (const front of fronts) {
  test(`D28 behind ${front.name}: the shipped files mount none of the short addresses`, options, async () => {
    const server = await startFront(front, { guards: guards() });
    try {
      for (const target of ['/authorize', '/token', '/register']) {
        for (const answer of [await send(server.base, 'GET', target), await postForm(server.base, target, {})]) {
          assert.ok([404, 405].includes(answer.status), `${target}: ${answer.status}`); // lighttpd has no POST to a file
          assert.equal(answer.location, undefined);
        }
      }
      assert.doesNotMatch(server.logs(), /path=\/(authorize|token|register)|route=oauth_(authorize|token|register)/);
    } finally { await server.stop(); }
  });

  test(`XE6 behind ${front.name}: once mounted, the short addresses lead through a whole sign-in, and no longer path does`, options, async () => {
    const server = await startFront(front, { guards: guards(), short: true });
    try {
      const client = await postJson(server.base, '/register', { redirect_uris: [loopback] }); // it gets a secret
      assert.equal(client.status, 201, client.text);
      const flow = await startFlow(server, { client: client.json() });
      const asked = form(flow.parameters);
      for (const answer of [await send(server.base, 'GET', `/authorize?${asked}`), await postForm(server.base, '/authorize', asked), await postForm(server.base, `${api}/authorize`, asked)]) {
        assert.ok([302, 303].includes(answer.status), answer.text);
        assert.equal(answer.location, `${api}/authorize?${asked}`);
      }
      // As long as a redirect may be on its way through each of them.
      const long = form({ ...flow.parameters, state: 's'.repeat(7000) });
      for (const answer of [await send(server.base, 'GET', `/authorize?${long}`), await postForm(server.base, `${api}/authorize`, long)]) assert.equal(answer.location, `${api}/authorize?${long}`, answer.text);
      assert.equal((await send(server.base, 'HEAD', query('/authorize', flow.parameters))).status, 200);
      const code = (await submit(flow)).sent().get('code');
      const { client_id: id, client_secret: secret } = client.json();
      // In the header, which Apache keeps to itself unless its file says otherwise.
      const answer = await postForm(server.base, '/token', tokenParameters(flow, code), { Authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` });
      assert.equal(answer.status, 200, answer.text);
      for (const target of ['/authorize/', '/authorized', '/token/x', '/tokens', '/x/register', '/Register']) {
        assert.ok([404, 405].includes((await send(server.base, 'GET', target)).status), target);
      }
    } finally { await server.stop(); }
  });
}
