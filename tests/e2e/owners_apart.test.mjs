// Somebody with a person's very name is somebody else: as a typed name, as an app's name, and as
// the name that a web server passes.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Browser, postForm, query } from './support/browser.mjs';
import { assertOauthError } from './support/checks.mjs';
import { ask, posted, request } from './support/fastcgi.mjs';
import { startIdentityProvider } from './support/identity_provider.mjs';
import { api, authorizeParameters, choose, connect, pkce, redeem, register, startFlow, submit } from './support/journey.mjs';
import { freshFolder, startServer } from './support/server.mjs';
import { addProvider, finish, Person } from './support/signin.mjs';
import { makeAuthority, signIn as signInAtService, startProvider } from './support/upstreams.mjs';

const options = { timeout: 240000 };
const authority = makeAuthority();
const folder = freshFolder('owners');
const shared = { IDENTITIES: 'any', CONSENTGATE_SERVICE_CA: authority.ca };
let corp, notion, server, asking, anna;

before(async () => {
  corp = await startIdentityProvider({ people: { anna: { name: 'Anna', email: 'anna@example.org', email_verified: true } } });
  notion = await startProvider({ authority });
  server = await startServer({ folder, env: shared });
  await addProvider(server, corp, 'corp', 'Example Corp');
  await server.admin('service', 'add', 'notion', '--url', notion.mcpUrl);
  asking = await server.admin('resource', 'add', server.resource, '--service', 'notion', '--json');
}, options);
after(async () => { await server?.stop(); await corp?.stop(); await notion?.stop(); fs.rmSync(folder, { recursive: true, force: true }); }, options);

const exchange = (token) => postForm(server.base, `${api}/token`, { grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', subject_token: token, subject_token_type: 'urn:ietf:params:oauth:token-type:access_token', audience: 'notion', client_id: asking.id, client_secret: asking.secret });
const hasNothing = async (token) => assertOauthError(await exchange(token), 400, 'interaction_required');
const names = () => [`user:${anna.id}`, anna.id, `${corp.issuer} anna`, `${corp.issuer}%0Aanna`, 'corp/anna', 'anna@example.org', 'anna'];

test('SA29: what Anna connects is hers', options, async () => {
  const person = new Person(server, { corp }, 'anna');
  const flow = await person.begin(await register(server));
  await person.signIn(flow);
  await connect(server, flow, 'notion', (address) => signInAtService(notion, address, 'the account of Anna'));
  const answer = await exchange(await finish(flow));
  assert.equal(await notion.whoIs(answer.json().access_token), 'the account of Anna');
  [anna] = server.sql("SELECT id FROM person WHERE CAST(subject AS TEXT) = 'anna'");
});

test('SA29: neither a typed name nor the name of an app is a person', options, async () => {
  for (const name of names()) {
    const flow = await startFlow(server, { client: await register(server, { client_name: name }) });
    await choose(flow, { userId: name });
    await hasNothing((await redeem(server, flow, (await submit(flow)).sent().get('code'))).json().access_token);
  }
  const flow = await startFlow(server);
  const refused = await flow.browser.post(`${api}/consent/user-id`, { flow_id: flow.flowId, user_id: `${corp.issuer}\nanna` });
  assert.match(refused.location, /error=invalid_user_id/, refused.text);
});

// As a web server speaks that has signed somebody in.
function at(name) {
  const browser = new Browser(server.base, server.issuer);
  const speak = async (values, body = '') => {
    const answer = await ask({ path: path.join(server.var, 'consentgate.sock') }, { ...values, REMOTE_USER: name, HTTP_COOKIE: [...browser.cookies].map((pair) => pair.join('=')).join('; '), HTTP_ORIGIN: server.issuer, HTTP_ACCEPT: 'text/html' }, { body });
    for (const line of answer.lines) { const [, key, value] = /^Set-Cookie: ([^=]+)=([^;]*)/i.exec(line) ?? []; if (key) browser.cookies.set(key, value); }
    return { ...answer, location: answer.lines.find((line) => line.startsWith('Location: '))?.slice(10) };
  };
  return { get: (uri) => speak({ ...request('GET', uri), QUERY_STRING: uri.split('?')[1] ?? '' }), post: (uri, form) => { const body = new URLSearchParams(form).toString(); return speak(posted(uri, body), body); } };
}

test('SA29: no name that a web server passes is a person, and a name of two lines is refused', options, async () => {
  await server.admin('idp', 'disable', 'corp');
  const port = Number(new URL(server.base).port);
  await server.stop();
  server = await startServer({ folder, port, env: { ...shared, CONSENTGATE_VERIFIED_USER: 'remote_user' } });
  const client = await register(server);
  for (const name of names()) {
    const browser = at(name);
    const proof = pkce();
    const parameters = authorizeParameters(server, client, proof);
    const begun = await browser.get(query(`${api}/authorize`, parameters));
    const [, flowId] = /flow_id=([\w-]{22})$/.exec(begun.location ?? '') ?? [];
    assert.ok(flowId, `${name}: ${begun.raw}`);
    const done = await browser.post(`${api}/consent/submit`, { flow_id: flowId });
    const code = new URL(done.location ?? 'x:').searchParams.get('code');
    assert.ok(code, `${name}: ${done.raw}`);
    await hasNothing((await redeem(server, { client, parameters, proof }, code)).json().access_token);
  }
  const two = await at(`${corp.issuer}\nanna`).get('/oauth/sessions');
  assert.ok(two.status >= 400 && two.status < 500, two.raw);
  assert.equal(two.raw.includes('the account of Anna'), false);
});
