// A server with real services, people who connect their accounts there, and the resource server
// that gets each caller's own token.
import assert from 'node:assert/strict';
import { Browser, postForm } from './browser.mjs';
import { api, choose, connect as connectAt, finish, register, startFlow } from './journey.mjs';
import { sleep, startServer } from './server.mjs';
import { makeAuthority, signIn, startProvider } from './upstreams.mjs';

const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange';
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';

class Accounts {
  constructor(server, providers) { Object.assign(this, { server, providers, names: Object.keys(providers) }); }

  newBrowser() { return new Browser(this.server.base, this.server.issuer); }

  // There and back, as this user of the service.
  connect(flow, name, user, options = {}) { return connectAt(this.server, flow, name, (address) => signIn(this.providers[name], address, user, options)); }

  // Signs in with these accounts: {notion: 'anna'}. out: the session token
  async signedIn(accounts, { identity = { skip: true }, browser = this.newBrowser(), client = this.client } = {}) {
    const flow = await startFlow(this.server, { client, browser });
    await choose(flow, identity);
    for (const [name, user] of Object.entries(accounts)) {
      const back = await this.connect(flow, name, user);
      assert.equal(back.location, `/oauth/consent/mcps?flow_id=${flow.flowId}#service-${name}`, back.text);
    }
    return finish(this.server, flow);
  }

  exchange(token, name, more = {}) {
    return postForm(this.server.base, `${api}/token`, { grant_type: exchangeGrant, subject_token: token, subject_token_type: accessTokenType, audience: name,
      client_id: this.asking.id, client_secret: this.asking.secret, ...more });
  }

  // Whose account the exchanged token is, as its own service says.
  async holder(token, name) {
    const answer = await this.exchange(token, name);
    assert.equal(answer.status, 200, answer.text);
    const body = answer.json();
    assert.equal(body.issued_token_type, accessTokenType);
    assert.equal(body.token_type, 'Bearer');
    assert.notEqual(body.access_token, token);
    return this.providers[name].whoIs(body.access_token);
  }

  // As when time has passed: all tokens of the service, or that of the account which was connected
  // last, end in so many seconds, and what failed may be tried again.
  age(name, seconds = 3, { newest = false } = {}) {
    const only = newest ? ' AND rowid = (SELECT max(rowid) FROM upstream_token)' : '';
    this.server.sql(`UPDATE upstream_token SET updated_at = unixepoch() - 3600, expires_at = unixepoch() + ${seconds}, retry_at = NULL WHERE service_id = '${name}' AND ended_at IS NULL AND expires_at IS NOT NULL${only}`);
  }

  // An exchange by a server that comes again when the answer says so.
  async exchangePatiently(token, name) {
    for (let tried = 0; ; tried += 1) {
      const answer = await this.exchange(token, name);
      if (answer.status !== 503 || tried === 40) return answer;
      assert.ok(Number(answer.headers['retry-after']) >= 1);
      await sleep(250);
    }
  }

  async stop() {
    await this.server.stop();
    for (const provider of Object.values(this.providers)) await provider.stop();
  }
}

// in:  names  of the services, each a provider of its own under the authority, unless `provided`
//      has it; more  words of `service add`, by name; options  of startServer
export async function startAccounts(names, { env = {}, authority = makeAuthority(), provided = {}, more = {}, ...options } = {}) {
  const providers = { ...provided };
  for (const name of names) providers[name] ??= await startProvider({ authority });
  const server = await startServer({ ...options, env: { CONSENTGATE_SERVICE_CA: authority.ca, CONSENTGATE_AUTHORIZATIONS_PER_MINUTE: '0', CONSENTGATE_REGISTRATIONS_PER_MINUTE: '0', ...env } });
  const accounts = new Accounts(server, providers);
  for (const name of names) await server.admin('service', 'add', name, '--url', providers[name].mcpUrl, ...(more[name] ?? []));
  accounts.asking = await server.admin('resource', 'add', server.resource, ...names.flatMap((name) => ['--service', name]), '--json');
  accounts.client = await register(server);
  return accounts;
}
