// A server with two identity providers, browsers of people who sign in there, and their steps.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { Browser, query } from './browser.mjs';
import { AtProvider, startIdentityProvider } from './identity_provider.mjs';
import { api, authorizeParameters, pkce, redeem, submit } from './journey.mjs';
import { sleep, startServer } from './server.mjs';

const anna = { name: 'Anna Müller', email: 'anna@example.org', email_verified: true, groups: ['staff', 'eng'] };
const ben = { name: 'Ben', email: 'ben@example.org', email_verified: true, groups: ['staff'] };

// One row for the provider, as an operator makes it.
export async function addProvider(server, provider, id, title, ...more) {
  const clientId = provider.admit(server, id);
  const secret = path.join(server.var, `${id}.secret`);
  fs.writeFileSync(secret, provider.secret, { mode: 0o600 });
  await server.admin('idp', 'add', id, '--issuer', provider.issuer, '--client-id', clientId, '--client-secret-file', secret, '--title', title, '--groups-claim', 'groups', ...more);
}

// in:  env  of the server; its own default is that people and keys come in; workers  their number
// out: server, corp and other (providers), person, stop
export async function startSigninServer(env = {}, { workers } = {}) {
  const server = await startServer({ workers, env: { IDENTITIES: '', ...env } });
  const corp = await startIdentityProvider({ people: { anna: { ...anna }, ben: { ...ben } } });
  const other = await startIdentityProvider({ people: { anna: { ...anna, name: 'Anna of the other' } }, inUserinfo: true });
  await addProvider(server, corp, 'corp', 'Example Corp');
  await addProvider(server, other, 'other', 'Other Org');
  const stop = async () => { await server.stop(); await corp.stop(); await other.stop(); };
  return { server, corp, other, person: (user) => new Person(server, { corp, other }, user), stop };
}

// A browser here and at the providers.
export class Person extends Browser {
  constructor(server, providers, user) {
    super(server.base, server.issuer);
    Object.assign(this, { server, providers, user });
    this.there = Object.fromEntries(Object.entries(providers).map(([id, provider]) => [id, new AtProvider(provider)]));
  }

  async begin(client, more = {}) {
    const proof = pkce();
    const parameters = authorizeParameters(this.server, client, proof, more);
    const answer = await this.get(query(`${api}/authorize`, parameters));
    const [, page, flowId] = /^\/oauth\/(consent(?:\/mcps)?)\?flow_id=([A-Za-z0-9_-]{22})$/.exec(answer.location ?? '') ?? [];
    assert.ok(flowId, `${answer.status} ${answer.location} ${answer.text}`);
    return { browser: this, client, parameters, proof, flowId, page };
  }

  start(flow, id = 'corp', more = {}) { return this.get(query('/oauth/signin/start', { idp: id, ...(flow ? { flow_id: flow.flowId } : {}), ...more })); }

  // Pressed, logged in there, and on the way back. out: our callback's path and query
  async wayBack(flow, id = 'corp', user = this.user, more = {}) {
    const begun = await this.start(flow, id);
    assert.equal(begun.status, 303, begun.text);
    return this.there[id].signIn(begun.location, user, more);
  }

  // Where others wait for the provider too, the browser comes again with the same answer.
  async signIn(flow, id = 'corp', user = this.user) {
    const back = await this.wayBack(flow, id, user);
    for (let tried = 0; ; tried += 1) {
      const answer = await this.get(back);
      if (answer.status !== 503 || tried === 40) return answer;
      await sleep(250);
    }
  }
}

export const page1 = (flow) => flow.browser.get(`/oauth/consent?flow_id=${flow.flowId}`);
export const page2 = (flow) => flow.browser.get(`/oauth/consent/mcps?flow_id=${flow.flowId}`);

// out: what the token endpoint answers
export async function tokensOf(flow) {
  const submitted = await submit(flow);
  assert.equal(submitted.status, 302, submitted.text);
  const answer = await redeem(flow.browser.server, flow, submitted.sent().get('code'));
  assert.equal(answer.status, 200, answer.text);
  return answer.json();
}
// out: the session's token
export const finish = async (flow) => (await tokensOf(flow)).access_token;

export async function letIn(person, client) {
  const flow = await person.begin(client);
  const back = await person.signIn(flow);
  assert.equal(back.location, `/oauth/consent/mcps?flow_id=${flow.flowId}`, back.text);
  const tokens = await tokensOf(flow);
  return { flow, tokens, token: tokens.access_token };
}
