// The surroundings of a client library in a test: the person at the browser, the application's
// memory, the operator's accidents.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { Browser, postForm } from './browser.mjs';
import { api, choose, submit } from './journey.mjs';
import { reload } from './server.mjs';

export const callback = 'http://localhost:3118/callback';

// Packages that need a newer Node.js than ours must run on are optional; there they may be absent,
// and nowhere else.
// out: the module, or undefined with the reason in `why`
export async function optional(name, oldest = 20) {
  if (Number(process.versions.node.split('.')[0]) < oldest) return { why: `${name} needs Node.js ${oldest}` };
  return { module: await import(name), why: false };
}

// A person opens the address that a client asked to open, says who they are, and finishes. out:
// where the browser is sent at last
export async function personAt(server, address, identity, last = submit) {
  const browser = new Browser(server.base);
  const url = new URL(address);
  assert.equal(url.origin, server.issuer);
  const started = await browser.get(url.pathname + url.search);
  const flow = { browser, flowId: new URL(started.location ?? '', server.base).searchParams.get('flow_id') };
  assert.ok(flow.flowId, started.text);
  await choose(flow, identity);
  return (await last(flow)).location;
}

// Every access token of a client is over, as after its lifetime; its refresh tokens are not.
export function endAccessTokens(server, clientId) {
  assert.match(clientId, /^[A-Za-z0-9_-]+$/);
  server.sql(`UPDATE session SET token_expires_at = 1 WHERE client_id = '${clientId}';
    UPDATE access_token SET expires_at = 1 WHERE session_id IN (SELECT id FROM session WHERE client_id = '${clientId}')`);
}

// As when an operator begins again with an empty database behind the same address.
export function forgetEveryone(server) {
  server.sql(['client', 'flow', 'code', 'session', 'refresh_token', 'access_token'].map((table) => `DELETE FROM ${table}`).join(';'));
}

// As when an operator deletes one client, or its rest was swept.
export function deleteRegistration(server, clientId) {
  assert.match(clientId, /^[A-Za-z0-9_-]+$/);
  server.sql(`DELETE FROM client WHERE id = '${clientId}'`);
}

// As after the half minute in which a refresh may simply be repeated.
export const timePasses = (server) => server.sql('UPDATE refresh_token SET used_at = used_at - 60 WHERE used_at IS NOT NULL');

// The operator says which scopes every call of the resource needs.
export async function gateAsksFor(server, scopes) {
  const resource = (verb) => server.admin('resource', verb, server.resource, '--scopes', scopes);
  await resource('set').catch(() => resource('add'));
  await reload(server.masterPid(), server.gate?.pid ?? Number(fs.readFileSync(path.join(server.var, 'gate.pid'), 'utf8')));
}

export async function revoke(server, clientId, token) {
  const answer = await postForm(server.base, `${api}/revoke`, { client_id: clientId, token });
  assert.deepEqual([answer.status, answer.text], [200, '']);
}

// The application that an MCP SDK asks for what it keeps; the same for both generations of it.
export class App {
  constructor(server, more = {}) {
    this.server = server;
    this.redirectUrl = callback;
    this.clientMetadata = { client_name: 'SDK app', redirect_uris: [callback], grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], token_endpoint_auth_method: 'none', ...more };
    this.asked = [];
  }

  state() { return 'state of the app'; }
  clientInformation() { return this.client; }
  saveClientInformation(client) { this.client = client; }
  tokens() { return this.kept; }
  saveTokens(tokens) { this.kept = tokens; }
  codeVerifier() { return this.verifier; }
  saveCodeVerifier(verifier) { this.verifier = verifier; }
  saveDiscoveryState(state) { this.discovered = state; }
  discoveryState() { return this.discovered; }
  redirectToAuthorization(url) { this.asked.push(url); }
  invalidateCredentials(what) {
    if (what === 'all' || what === 'client') this.client = undefined;
    if (what === 'all' || what === 'tokens') this.kept = undefined;
    if (what === 'all' || what === 'discovery') this.discovered = undefined;
  }

  // The person's part of what was asked last. out: the parameters that the application's callback
  // got
  async answer(identity, last = submit) {
    const location = await personAt(this.server, this.asked.at(-1), identity, last);
    assert.ok(location.startsWith(`${callback}?`), location);
    const sent = new URL(location).searchParams;
    assert.equal(sent.get('state'), 'state of the app');
    assert.equal(sent.get('iss'), this.server.issuer);
    return sent;
  }
}
