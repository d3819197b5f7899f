// Two strict OAuth libraries, unmodified, which know nothing of MCP: whatever they object to is an
// error here.
import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { after, before, test } from 'node:test';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { callback, endAccessTokens, forgetEveryone, personAt } from './support/app.mjs';
import { clientName, post } from './support/journey.mjs';
import { startServer } from './support/server.mjs';

globalThis.crypto ??= webcrypto; // Node.js 18 keeps it in a module

const options = { timeout: 120000 };
const metadata = { client_name: 'Library', redirect_uris: [callback], grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], token_endpoint_auth_method: 'none' };
const call = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'whoami', arguments: {} } });
const headers = () => new Headers({ 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream' });
const plain = { [oauth.allowInsecureRequests]: true }; // the issuer of the tests is http on loopback
let server;
before(async () => { server = await startServer(); }, { timeout: 240000 });
after(async () => { await server?.stop(); }, { timeout: 120000 });

// ---- oauth4webapi: every request and every check of its answer is a step of its own -------------

const toolCall = (token) => oauth.protectedResourceRequest(token, 'POST', new URL(server.resource), headers(), call, plain);

// From the resource's challenge to the server's metadata.
async function discover() {
  const challenge = await toolCall('x').then(() => assert.fail('a made-up token opened the example'), (error) => error);
  assert.ok(challenge instanceof oauth.WWWAuthenticateChallengeError, challenge);
  const [{ scheme, parameters }] = challenge.cause;
  assert.deepEqual([challenge.status, scheme, parameters.error], [401, 'bearer', 'invalid_token']);
  const resource = new URL(server.resource);
  const found = await oauth.processResourceDiscoveryResponse(resource, await oauth.resourceDiscoveryRequest(resource, plain));
  assert.equal(parameters.resource_metadata, `${server.base}/.well-known/oauth-protected-resource/mcp`);
  const issuer = new URL(found.authorization_servers[0]);
  return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...plain }));
}

const enrol = async (as) => oauth.processDynamicClientRegistrationResponse(await oauth.dynamicClientRegistrationRequest(as, metadata, plain));

async function signIn(as, client, { check = (sent) => sent } = {}) {
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const address = new URL(as.authorization_endpoint);
  for (const [name, value] of Object.entries({ client_id: client.client_id, redirect_uri: callback, response_type: 'code', state, scope: 'mcp', resource: server.resource,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' })) address.searchParams.set(name, value);
  const location = new URL(await personAt(server, address, { userId: 'ada' }));
  const sent = oauth.validateAuthResponse(as, client, check(location), state);
  const answer = await oauth.authorizationCodeGrantRequest(as, client, oauth.None(), sent, callback, verifier, { additionalParameters: { resource: server.resource }, ...plain });
  return oauth.processAuthorizationCodeResponse(as, client, answer);
}

const refresh = async (as, client, token) => oauth.processRefreshTokenResponse(as, client, await oauth.refreshTokenGrantRequest(as, client, oauth.None(), token, plain));
const personOf = async (answer) => (await answer.json()).result.structuredContent;

test('I1: oauth4webapi discovers, registers, signs in, calls, refreshes and revokes without an objection', options, async () => {
  const as = await discover();
  assert.equal(as.authorization_response_iss_parameter_supported, true);
  const client = await enrol(as);
  const first = await signIn(as, client);
  const said = await personOf(await toolCall(first.access_token));
  assert.deepEqual([said.client_id, await clientName(server, said.client_id), said.identity], [client.client_id, 'Library', 'ada']);
  assert.deepEqual([first.token_type, first.scope, Number.isInteger(first.expires_in)], ['bearer', 'mcp', true]); // lowered by the library

  endAccessTokens(server, client.client_id);
  await assert.rejects(toolCall(first.access_token), oauth.WWWAuthenticateChallengeError);
  const second = await refresh(as, client, first.refresh_token);
  assert.equal((await personOf(await toolCall(second.access_token))).identity, 'ada');

  await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, oauth.None(), second.refresh_token, plain));
  await assert.rejects(toolCall(second.access_token), oauth.WWWAuthenticateChallengeError);
  await assert.rejects(refresh(as, client, second.refresh_token), { name: 'ResponseBodyError', error: 'invalid_grant', status: 400 });
});

test('R18: oauth4webapi gets invalid_client after the server forgot everyone, and a new registration works', options, async () => {
  const as = await discover();
  const client = await enrol(as);
  const { refresh_token: token } = await signIn(as, client);
  forgetEveryone(server);
  // A challenge or a body: RFC 6749 section 5.2 leaves it to us, and the library reads either.
  const refused = await refresh(as, client, token).then(() => assert.fail('a forgotten client was let in'), (error) => error);
  assert.equal(refused.error ?? refused.cause?.[0]?.parameters?.error, 'invalid_client');
  const anew = await enrol(as);
  assert.notEqual(anew.client_id, client.client_id);
  assert.equal((await personOf(await toolCall((await signIn(as, anew)).access_token))).client_id, anew.client_id);
});

test('A23 A22: oauth4webapi takes our redirect as it is, and none with a missing, foreign or second iss or another state', options, async () => {
  const as = await discover();
  const client = await enrol(as);
  const damages = [(url) => url.searchParams.delete('iss'), (url) => url.searchParams.set('iss', 'https://other.example'), (url) => url.searchParams.append('iss', server.issuer),
    (url) => url.searchParams.set('state', 'another'), (url) => url.searchParams.delete('state')];
  for (const damage of damages) {
    await assert.rejects(signIn(as, client, { check: (url) => { damage(url); return url; } }), oauth.OperationProcessingError);
  }
  assert.ok((await signIn(as, client)).access_token);
});

test('A27: oauth4webapi reads a denial that comes by redirect', options, async () => {
  const as = await discover();
  const client = await enrol(as);
  const address = new URL(as.authorization_endpoint);
  for (const [name, value] of Object.entries({ client_id: client.client_id, redirect_uri: callback, response_type: 'code', state: 'x', scope: 'mcp', resource: server.resource,
    code_challenge: await oauth.calculatePKCECodeChallenge(oauth.generateRandomCodeVerifier()), code_challenge_method: 'S256' })) address.searchParams.set(name, value);
  const denied = new URL(await personAt(server, address, { skip: true }, (flow) => post(flow, 'deny')));
  assert.throws(() => oauth.validateAuthResponse(as, client, denied, 'x'), { name: 'AuthorizationResponseError', error: 'access_denied' });
});

// ---- openid-client: the same, as most applications do it ----------------------------------------

const insecure = { execute: [openid.allowInsecureRequests], algorithm: 'oauth2' };
const enter = async () => openid.dynamicClientRegistration(new URL(server.issuer), metadata, openid.None(), insecure);

async function openidSignIn(config) {
  const verifier = openid.randomPKCECodeVerifier();
  const state = openid.randomState();
  const address = openid.buildAuthorizationUrl(config, { redirect_uri: callback, scope: 'mcp', resource: server.resource, state,
    code_challenge: await openid.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' });
  const location = new URL(await personAt(server, address, { userId: 'ada' }));
  return openid.authorizationCodeGrant(config, location, { pkceCodeVerifier: verifier, expectedState: state }, { resource: server.resource });
}

const openidCall = (config, token) => openid.fetchProtectedResource(config, token, new URL(server.resource), 'POST', call, headers());

test('I1: openid-client discovers, registers, signs in, calls, refreshes and revokes without an objection', options, async () => {
  const config = await enter();
  const { client_id: id } = config.clientMetadata();
  const again = await openid.discovery(new URL(server.issuer), id, undefined, openid.None(), insecure);
  assert.equal(again.serverMetadata().issuer, server.issuer);
  const first = await openidSignIn(config);
  assert.ok(first.expiresIn() > 86000);
  assert.deepEqual((await personOf(await openidCall(config, first.access_token))).identity, 'ada');

  endAccessTokens(server, id);
  await assert.rejects(openidCall(config, first.access_token), openid.WWWAuthenticateChallengeError);
  const second = await openid.refreshTokenGrant(again, first.refresh_token, { resource: server.resource, scope: 'mcp' });
  assert.equal((await personOf(await openidCall(again, second.access_token))).client_id, id);

  await openid.tokenRevocation(config, second.refresh_token, { token_type_hint: 'refresh_token' });
  await assert.rejects(openidCall(config, second.access_token), openid.WWWAuthenticateChallengeError);
  await assert.rejects(openid.refreshTokenGrant(config, second.refresh_token), { error: 'invalid_grant' });
});

test('R18: openid-client gets invalid_client after the server forgot everyone, and a new registration works', options, async () => {
  const config = await enter();
  const { refresh_token: token } = await openidSignIn(config);
  forgetEveryone(server);
  const refused = await openid.refreshTokenGrant(config, token).then(() => assert.fail('a forgotten client was let in'), (error) => error);
  assert.equal(refused.error ?? refused.cause?.[0]?.parameters?.error, 'invalid_client');
  const anew = await enter();
  assert.ok((await openidSignIn(anew)).refresh_token);
});
