// Checks that many tests share: page headers, the gateway's error shape, OAuth error bodies,
// redirected errors.
import assert from 'node:assert/strict';

// Headers of every page and redirect of a flow (A31). A page with a form of ours tells its address
// to us, so that browsers send our Origin with the form; nothing else tells it to anybody (XE6).
export function assertPrivate(answer, what = '') {
  assert.match(answer.headers['cache-control'] ?? '', /\bno-store\b/, `${what} must not be stored`);
  const policy = /<form\b/.test(answer.text) ? 'same-origin' : 'no-referrer';
  assert.equal(answer.headers['referrer-policy'], policy, `${what} must not leak its address`);
}

// Headers of every page (U1, U2).
export function assertPage(answer, status) {
  assert.equal(answer.status, status, answer.text);
  assert.match(answer.headers['content-type'] ?? '', /^text\/html; *charset=utf-8$/i);
  const policy = answer.headers['content-security-policy'] ?? '';
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.doesNotMatch(policy, /script-src|unsafe/);
  assert.equal(answer.headers['x-frame-options'], 'DENY');
  assert.equal(answer.headers['x-content-type-options'], 'nosniff');
  assertPrivate(answer, 'a page');
  assert.doesNotMatch(answer.text, /<script/i);
  assert.doesNotMatch(answer.text, /\{\{/, 'a placeholder was not filled');
}

const isText = (value) => typeof value === 'string';

// The error shape of the consent POSTs, exactly: every member, no other, with its type.
export function assertGatewayError(answer, status, code) {
  assert.equal(answer.status, status, answer.text);
  assert.match(answer.headers['content-type'] ?? '', /^application\/json/);
  assertPrivate(answer, 'an error');
  const body = answer.json();
  assert.deepEqual(Object.keys(body).sort(), ['error', 'event_id', 'extra_fields', 'is_bifrost_error', 'status_code', 'type']);
  assert.deepEqual(Object.keys(body.error).sort(), ['code', 'event_id', 'message', 'param', 'type']);
  assert.deepEqual(Object.keys(body.extra_fields).sort(), ['model_requested', 'provider', 'request_type']);
  assert.equal(body.type, 'error');
  assert.equal(body.is_bifrost_error, true);
  assert.equal(body.status_code, status);
  assert.ok(isText(body.event_id) && body.event_id !== '');
  assert.equal(body.error.event_id, body.event_id);
  for (const name of ['type', 'code', 'message', 'param']) assert.ok(isText(body.error[name]), `error.${name}`);
  assert.notEqual(body.error.message, '');
  for (const value of Object.values(body.extra_fields)) assert.ok(isText(value));
  assert.match(body.extra_fields.request_type, /^oauth_/);
  assert.ok([code].flat().includes(body.error.code), `${body.error.code} is not ${code}`);
  return body;
}

// RFC 6749 5.2 and RFC 7591 3.2.2.
export function assertOauthError(answer, status, error) {
  assert.ok([status].flat().includes(answer.status), `${answer.status} ${answer.text}`);
  assert.match(answer.headers['content-type'] ?? '', /^application\/json/);
  assert.match(answer.headers['cache-control'] ?? '', /\bno-store\b/);
  assert.equal(answer.location, undefined);
  const body = answer.json();
  assert.ok([error].flat().includes(body.error), answer.text);
  for (const value of Object.values(body)) assert.notEqual(value, null);
  if (body.error_description !== undefined) assert.match(body.error_description, /^[\x20-\x21\x23-\x5B\x5D-\x7E]*$/);
  return body;
}

// An error handed to the client by redirect: error, state once, iss once, nothing of a success.
export function assertRedirectError(server, answer, error, { to, state = 'a state' } = {}) {
  assert.equal(answer.status, 302, answer.text);
  assert.ok(answer.location?.startsWith(to), `${answer.location} does not go to ${to}`);
  const sent = answer.sent();
  assert.deepEqual(sent.getAll('error'), [error], answer.location);
  assert.deepEqual(sent.getAll('state'), state === null ? [] : [state]);
  assert.deepEqual(sent.getAll('iss'), [server.issuer]);
  assert.equal(sent.has('code'), false);
  for (const text of sent.getAll('error_description')) assert.match(text, /^[\x20-\x21\x23-\x5B\x5D-\x7E]*$/);
  assertPrivate(answer, 'a redirect');
}

// Our own page and no way to the client's address.
export function assertNoRedirect(answer, status = 400) {
  assertPage(answer, status);
  assert.equal(answer.location, undefined);
}

// The Bearer challenge of a guarded resource, as a map of its parameters.
export function challengeOf(answer) {
  const header = answer.headers['www-authenticate'] ?? '';
  assert.match(header, /^Bearer /);
  return Object.fromEntries([...header.matchAll(/([a-z_]+)="([^"\\]*)"/g)].map(([, name, value]) => [name, value]));
}
