// Signing in at a provider behind each web server, as its files are shipped: they mount these
// addresses already, take long answers, and hand cookies on.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { postForm, query, send } from './support/browser.mjs';
import { assertPage } from './support/checks.mjs';
import { fronts, startFront } from './support/fronts.mjs';
import { startIdentityProvider } from './support/identity_provider.mjs';
import { https, register } from './support/journey.mjs';
import { startServerBehind } from './support/mcp_behind.mjs';
import { addProvider, letIn, page1, Person } from './support/signin.mjs';

const options = { timeout: 240000 };
const groups = Array.from({ length: 500 }, (_, at) => `group number ${at} of a large organisation`);
let behind, corp;

before(async () => {
  behind = await startServerBehind();
  corp = await startIdentityProvider({ people: { anna: { name: 'Anna', groups }, ben: { name: 'Ben' } }, inUserinfo: true, logouts: 'sid' });
}, options);
after(async () => { await behind?.stop(); await corp?.stop(); }, options);

for (const front of fronts) {
  test(`SI23 SI24 SI34 SI60 (behind ${front.name}): a person signs in, comes back, and signs out here and there`, options, async () => {
    const server = await startFront(front, { guards: [{ at: '/mcp', port: behind.port }], env: { IDENTITIES: '' } });
    try {
      await addProvider(server, corp, 'corp', 'Example Corp');
      const client = await register(server, { redirect_uris: [https] });
      const lengths = [];
      for (const name of ['anna', 'ben']) {
        const person = new Person(server, { corp }, name);
        const { token } = await letIn(person, client);
        lengths.push(person.cookies.get('consentgate_signin').length);
        const called = await send(server.base, 'POST', '/mcp', { headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` }, body: '{}' });
        assert.equal(called.status, 200, called.text);
        const flow = await person.begin(client);
        assert.equal(flow.page, 'consent/mcps');
        await person.post('/oauth/signin/out', { flow_id: flow.flowId });
        assertPage(await page1(flow), 200);
        const refused = await postForm(server.base, '/oauth/signin/corp/backchannel', { logout_token: 'x.y.z' });
        assert.deepEqual([refused.status, refused.json().error], [400, 'invalid_request']);
        await person.there.corp.signOut();
        const over = await send(server.base, 'POST', '/mcp', { headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` }, body: '{}' });
        assert.equal(over.status, 401, over.text);
        assertPage(await person.get(query('/oauth/signin/corp/callback', { state: 'A'.repeat(43), code: 'c'.repeat(4000) })), 400);
      }
      assert.equal(lengths[0], lengths[1], 'however many groups there are');
      assert.equal(server.sql("SELECT length(group_names) AS n FROM person WHERE CAST(name AS TEXT) = 'Anna'")[0].n, groups.join('\n').length);
    } finally {
      await server.stop();
    }
  });
}
