// The steps of one sign-in, each a function, and the whole of it as `journey`.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { Browser, postForm, postJson, query } from './browser.mjs';

export const api = '/api/oauth/per-user';
export const loopback = 'http://127.0.0.1:53111/callback';
export const https = 'https://client.example.test/cb';
export const scheme = 'cursor://anysphere.cursor-mcp/oauth/callback';

export function pkce() {
  const verifier = crypto.randomBytes(32).toString('base64url');
  return { verifier, challenge: crypto.createHash('sha256').update(verifier).digest('base64url') };
}

export async function register(server, more = {}) {
  const answer = await postJson(server.base, `${api}/register`, { client_name: 'Test client', redirect_uris: [loopback], token_endpoint_auth_method: 'none', ...more });
  assert.equal(answer.status, 201, answer.text);
  return answer.json();
}

// Everything a correct authorization request has; `more` overrides, undefined removes.
export function authorizeParameters(server, client, proof, more = {}) {
  return { response_type: 'code', client_id: client.client_id, redirect_uri: client.redirect_uris?.[0] ?? loopback, code_challenge: proof.challenge,
    code_challenge_method: 'S256', state: 'a state', scope: 'mcp', resource: server.resource, ...more };
}

export async function authorize(server, browser, client, more = {}, proof = pkce()) {
  const parameters = authorizeParameters(server, client, proof, more);
  const answer = await browser.get(query(`${api}/authorize`, parameters));
  const match = /^\/oauth\/consent\?flow_id=([A-Za-z0-9_-]{22})$/.exec(answer.location ?? '');
  return { answer, flowId: match?.[1], parameters, proof, client, browser };
}

// A flow that is ready for its identity; fails when authorize did not start one.
export async function startFlow(server, { client, browser = new Browser(server.base, server.issuer), more } = {}) {
  const flow = await authorize(server, browser, client ?? await register(server), more);
  assert.equal(flow.answer.status, 302, flow.answer.text);
  assert.ok(flow.flowId, `no flow in ${flow.answer.location}`);
  return flow;
}

export const post = (flow, step, pairs = {}, headers = {}) => flow.browser.post(`${api}/consent/${step}`, { flow_id: flow.flowId, ...pairs }, headers);
export const submit = (flow, headers = {}) => post(flow, 'submit', {}, headers);

export async function choose(flow, { userId, virtualKey, skip }) {
  const [step, pairs] = userId !== undefined ? ['user-id', { user_id: userId }] : virtualKey ? ['vk', { vk: virtualKey }] : ['skip', {}];
  if (userId === undefined && !virtualKey && !skip) return undefined;
  const answer = await post(flow, step, pairs);
  assert.equal(answer.status, 302, answer.text);
  assert.equal(answer.location, `/oauth/consent/mcps?flow_id=${flow.flowId}`);
  return answer;
}

// The form that the client then sends to the token endpoint; `more` overrides, undefined removes.
export function tokenParameters(flow, code, more = {}) {
  return { grant_type: 'authorization_code', code, redirect_uri: flow.parameters.redirect_uri, client_id: flow.client.client_id, code_verifier: flow.proof.verifier,
    resource: flow.parameters.resource, ...more };
}

export const redeem = (server, flow, code, more = {}, headers = {}) => postForm(server.base, `${api}/token`, tokenParameters(flow, code, more), headers);

// Allow is pressed, and the client gets its token. out: the session token
export async function finish(server, flow) {
  const answer = await redeem(server, flow, (await submit(flow)).sent().get('code'));
  assert.equal(answer.status, 200, answer.text);
  return answer.json().access_token;
}

// Connect is pressed. out: the answer that sends the person to the service
export const beginConnection = (flow, service) => flow.browser.get(query(`${api}/upstream/authorize`, { mcp_client_id: service, flow_id: flow.flowId }));

// There and back again. in: signIn  what the person does there: from where they were sent to our
// callback's whole address
// out: the answer of our callback; where others wait for the service too, the browser comes again
export async function connect(server, flow, service, signIn) {
  const begun = await beginConnection(flow, service);
  assert.equal(begun.status, 302, begun.text);
  const back = new URL(await signIn(begun.location));
  assert.equal(`${back.origin}${back.pathname}`, new URL(begun.location).searchParams.get('redirect_uri'));
  for (let tried = 0; ; tried += 1) {
    const answer = await flow.browser.get(back.pathname + back.search);
    if (answer.status !== 503 || tried === 40) return answer;
    await new Promise((done) => { setTimeout(done, 250); });
  }
}

// A flow taken as far as its code.
export async function codeFor(server, options = {}) {
  const flow = await startFlow(server, options);
  await choose(flow, options.identity ?? { skip: true });
  const answer = await submit(flow, options.headers);
  assert.equal(answer.status, 302, answer.text);
  const code = answer.sent().get('code');
  assert.ok(code, answer.location);
  return { ...flow, submitted: answer, code };
}

// The whole sign-in, pages and all, down to the session token.
export async function journey(server, options = {}) {
  const flow = await startFlow(server, options);
  const first = await flow.browser.get(`/oauth/consent?flow_id=${flow.flowId}`);
  assert.equal(first.status, 200, first.text);
  await choose(flow, options.identity ?? { skip: true });
  const second = await flow.browser.get(`/oauth/consent/mcps?flow_id=${flow.flowId}`);
  assert.equal(second.status, 200, second.text);
  const submitted = await submit(flow, options.headers);
  assert.equal(submitted.status, 302, submitted.text);
  const code = submitted.sent().get('code');
  const answer = await redeem(server, flow, code);
  assert.equal(answer.status, 200, answer.text);
  return { ...flow, submitted, code, answer, token: answer.json().access_token };
}

// One JSON-RPC message to the protected MCP server; token undefined sends no Authorization.
export function rpc(server, token, method, params = {}, headers = {}) {
  return postJson(server.base, '/mcp', { jsonrpc: '2.0', id: 1, method, params },
    { Accept: 'application/json, text/event-stream', ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }), ...headers });
}

// The whoami tool's answer: who calls, as the gate reported to the MCP server.
export async function whoami(server, token) {
  const answer = await rpc(server, token, 'tools/call', { name: 'whoami', arguments: {} });
  assert.equal(answer.status, 200, answer.text);
  return answer.json().result.structuredContent;
}

// The name that the client registered with, as the operator sees it.
export const clientName = async (server, id) => (await server.admin('client', 'show', id, '--json')).name;

// Runs at most `width` of the tasks at once; gives their results in order.
export async function inLanes(width, tasks) {
  const results = new Array(tasks.length);
  let next = 0;
  await Promise.all(Array.from({ length: width }, async () => {
    while (next < tasks.length) { const at = next++; results[at] = await tasks[at](); }
  }));
  return results;
}
