// An upstream service with a real authorization server (oidc-provider) on this machine: HTTPS with
// an authority of its own, an MCP endpoint that asks for tokens, people who log in by a cookie
// instead of a page.
import { once } from 'node:events';
import fs from 'node:fs';
import https from 'node:https';
import Provider from 'oidc-provider';
import { listen, makeCertificates } from './metadata_host.mjs';
import { providerMemory } from './provider_memory.mjs';
import { freePort, plainFolder } from './server.mjs';

const scope = 'tools.read';

// Answers in place of a token, by the names that failNext takes.
const failures = {
  503: [503, { error: 'temporarily_unavailable' }],
  429: [429, { error: 'slow_down' }, { 'Retry-After': '7' }],
  invalid_grant: [400, { error: 'invalid_grant' }],
  described: [400, { error: 'invalid_grant', error_description: 'The token xoxe-1-My0xLTEyMzQ1Njc4OTA was revoked by its owner.' }],
  invalid_client: [401, { error: 'invalid_client' }],
  html: [502, '<html>Bad Gateway</html>', { 'Content-Type': 'text/html' }],
};

function say(response, status, body, headers = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...headers }).end(text);
}

const cookiesOf = (request) => Object.fromEntries((request.headers.cookie ?? '').split('; ').map((pair) => pair.split('=').map(decodeURIComponent)));

function settings({ issuer, management, mcpUrl, accessTokenSeconds, rotate, registration, resource, documents, clients, authMethods, claims, tellsWho }) {
  const server = { scope, audience: mcpUrl, accessTokenFormat: claims ? 'jwt' : 'opaque', accessTokenTTL: accessTokenSeconds };
  return {
    adapter: providerMemory(),
    clients,
    clientAuthMethods: authMethods,
    scopes: ['openid', 'offline_access', scope],
    ttl: { AccessToken: accessTokenSeconds, RefreshToken: 86400, AuthorizationCode: 60, Grant: 86400, IdToken: 3600, Interaction: 600, Session: 86400 },
    rotateRefreshToken: () => rotate,
    issueRefreshToken: (context, client) => client.grantTypeAllowed('refresh_token'),
    expiresWithSession: () => false,
    ...(claims ? { extraTokenClaims: (context, { accountId }) => claims(accountId) } : {}),
    pkce: { required: () => true },
    cookies: { keys: ['test'] },
    findAccount: (context, sub) => ({ accountId: sub, claims: () => ({ sub, ...(tellsWho ? { email: `${sub}@people.example` } : {}) }) }),
    ...(tellsWho ? { claims: { openid: ['sub', 'email'] }, conformIdTokenClaims: false } : {}),
    interactions: { url: (context, { uid }) => `/interaction/${uid}` },
    features: {
      devInteractions: { enabled: false },
      revocation: { enabled: true },
      registration: { enabled: registration, initialAccessToken: false },
      registrationManagement: { enabled: management, rotateRegistrationAccessToken: true },
      resourceIndicators: { enabled: resource, getResourceServerInfo: (context, indicator) => {
        if (indicator !== mcpUrl) throw Object.assign(new Error('invalid_target'), { error: 'invalid_target', statusCode: 400, expose: true });
        return server;
      } },
      ...(documents ? { clientIdMetadataDocument: { enabled: true, ack: 'draft-02' } } : {}),
    },
    // Reading a client's document; a test says where its https address really is.
    ...(documents ? { fetch: (url, options) => documents(String(url), options) } : {}),
    renderError: (context, out) => { context.type = 'json'; context.body = out; },
    issuer,
  };
}

class Upstream {
  constructor(options) {
    const { issuer, ...configuration } = settings(options);
    Object.assign(this, { issuer, mcpUrl: options.mcpUrl, ca: options.ca, calls: { token: {}, revocation: 0, registration: 0 }, failing: [], altering: [], named: [], registered: [], issued: [], away: false });
    this.provider = new Provider(issuer, configuration);
    this.options = options;
    this.provider.on('access_token.saved', (token) => this.issued.push(token.jti));
    this.provider.on('registration_create.success', (context, { clientId }) => this.registered.push(clientId));
    this.provider.use(async (context, next) => {
      await next();
      const { route, params } = context.oidc ?? {};
      if (route === 'token') {
        this.count(params?.grant_type);
        this.named.push(params?.resource);
        if (context.status === 200 && this.altering.length > 0) this.alter(context, this.altering.shift());
      }
      if (route === 'discovery') Object.assign(context.body, options.document);
      if (route === 'revocation') this.calls.revocation += 1;
      if (route === 'registration') this.calls.registration += 1;
      if (!options.iss) withoutIss(context, issuer);
    });
    this.handle = this.provider.callback();
  }

  count(grantType) { this.calls.token[grantType] = (this.calls.token[grantType] ?? 0) + 1; }

  // The next token requests get no token. kind: a member of `failures`, 'hang' (no answer at all),
  // or status, body and headers
  failNext(kind, times = 1) { for (let i = 0; i < times; i += 1) this.failing.push(Array.isArray(kind) ? kind : String(kind)); }

  // The next tokens come wrapped oddly. change: of the members to those that are sent, or to a text
  alterNext(change, { status = 200, type = 'application/json' } = {}) { this.altering.push({ change, status, type }); }

  alter(context, { change, status, type }) {
    const changed = change({ ...context.body });
    Object.assign(context, { status, body: typeof changed === 'string' ? changed : JSON.stringify(changed) });
    context.set('Content-Type', type);
  }

  // As if somebody had deleted all that registered themselves.
  async forgetClients() {
    for (const id of this.registered.splice(0)) await this.provider.Client.adapter.destroy(id);
  }

  // Undefined when the token is not good, or is not for this server.
  async whoIs(token) {
    const found = await this.provider.AccessToken.find(token);
    return found?.isValid && (!this.options.resource || found.aud === this.mcpUrl) ? found.accountId : undefined;
  }

  async answer(request, response) {
    const { pathname } = new URL(request.url, this.issuer);
    if (pathname === '/mcp') return this.answerMcp(request, response);
    if (pathname === '/.well-known/oauth-protected-resource/mcp') {
      return say(response, 200, { resource: this.mcpUrl, authorization_servers: [this.issuer], scopes_supported: [scope], bearer_methods_supported: ['header'] });
    }
    if (!this.options.discovery && pathname.startsWith('/.well-known/')) return say(response, 404, {});
    if (pathname.startsWith('/interaction/')) return this.logIn(request, response);
    if (this.away) return say(response, 503, { error: 'temporarily_unavailable' });
    if (pathname === '/token' && this.failing.length > 0) return this.fail(request, response, this.failing.shift());
    return this.handle(request, response);
  }

  async answerMcp(request, response) {
    const [, token] = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '') ?? [];
    const sub = token && await this.whoIs(token);
    if (sub) return say(response, 200, { sub });
    if (this.options.streams) {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write(': the stream does not end\n\n');
      return undefined;
    }
    const challenge = this.options.discovery ? `Bearer resource_metadata="${new URL('/.well-known/oauth-protected-resource/mcp', this.issuer)}"` : 'Bearer';
    return say(response, 401, { error: 'invalid_token' }, { 'WWW-Authenticate': challenge });
  }

  async fail(request, response, kind) {
    let body = '';
    for await (const part of request) body += part;
    this.count(new URLSearchParams(body).get('grant_type'));
    if (kind !== 'hang') say(response, ...(Array.isArray(kind) ? kind : failures[kind]));
  }

  // The page where a person would type their name: a cookie says it, and whether they refuse.
  async logIn(request, response) {
    const details = await this.provider.interactionDetails(request, response);
    const { user, deny } = cookiesOf(request);
    if (deny) return this.provider.interactionFinished(request, response, { error: 'access_denied', error_description: 'The person said no.' });
    if (details.prompt.name === 'login') return this.provider.interactionFinished(request, response, { login: { accountId: user } });
    const grant = new this.provider.Grant({ accountId: details.session.accountId, clientId: details.params.client_id });
    if (details.params.scope) grant.addOIDCScope(details.params.scope);
    for (const resource of [details.params.resource ?? []].flat()) grant.addResourceScope(resource, scope);
    return this.provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
  }

  async stop() {
    if (!this.server.listening) return;
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }
}

// Answers as a server does that knows nothing of RFC 9207.
function withoutIss(context, issuer) {
  if (context.body?.authorization_response_iss_parameter_supported) context.body = { ...context.body, authorization_response_iss_parameter_supported: undefined };
  const location = context.response.get('Location');
  if (!location || location.startsWith(issuer) || location.startsWith('/')) return;
  const address = new URL(location);
  address.searchParams.delete('iss');
  context.set('Location', address.href);
}

// in:  accessTokenSeconds, rotate   of its tokens; a refresh token used twice ends all of the
//      person's at this client
//      management                   whether it knows RFC 7592
//      registration, documents      how clients may come to it: RFC 7591; a fetch of their
//        documents (undefined: not that way)
//      clients                      that it knows beforehand, as oidc-provider takes them
//      resource, iss, discovery     whether it knows RFC 8707, RFC 9207, and any well-known
//        document
//      document                     members of its own document in place of the right ones
//      streams                      answers its MCP address with a stream that does not end
//      claims                       by the person's name, for its tokens, which are JWTs then
//      tellsWho                     with an id_token, where `openid` is asked for: anna is
//        anna@people.example
//      authority, port              of makeAuthority, to be one of several under one authority
// out: issuer, mcpUrl, ca (a file), calls, issued (access tokens, in their order), away (true: all
//      is answered 503), named (the `resource` of each token request), failNext, alterNext,
//      forgetClients, whoIs, stop
export async function startProvider({ accessTokenSeconds = 3600, rotate = true, registration = true, management = false, resource = true, iss = true, discovery = true, documents,
  clients = [], authMethods = ['none', 'client_secret_basic', 'client_secret_post'], claims, tellsWho = false, document, streams, authority = makeAuthority(), port } = {}) {
  const { ca, certificates } = authority;
  const at = port ?? await freePort(); // the provider must know its issuer before it listens
  const issuer = `https://localhost:${at}`;
  const upstream = new Upstream({ issuer, mcpUrl: `${issuer}/mcp`, ca, accessTokenSeconds, rotate, registration, management, resource, iss, discovery, documents, clients, authMethods, claims, tellsWho, document, streams });
  upstream.server = https.createServer(certificates.localhost, (request, response) => {
    upstream.answer(request, response).catch((error) => { response.writeHead(500).end(String(error)); });
  });
  await listen(upstream.server, at);
  upstream.server.unref(); // a test that fails before it stops it ends all the same
  return upstream;
}

// A certificate for localhost, to be shared by several providers.
export const makeAuthority = () => makeCertificates(plainFolder(), ['localhost']);

// One request of a person's, redirects not followed. out: status, location, text, and the cookies
// that it set
export function visit(upstream, address, { method = 'GET', headers = {}, body } = {}) {
  return new Promise((done, fail) => {
    const request = https.request(new URL(address, upstream.issuer), { method, headers, ca: fs.readFileSync(upstream.ca), agent: false }, async (message) => {
      let text = '';
      for await (const part of message) text += part;
      done({ status: message.statusCode, headers: message.headers, location: message.headers.location, text, cookies: message.headers['set-cookie'] ?? [] });
    });
    request.on('error', fail);
    request.end(body);
  });
}

// The steps of a person at the service, until it sends them to our callback, which is not visited.
// in:  authorizeUrl  where they were sent; deny  refuses. out: the callback's whole address
export async function signIn(upstream, authorizeUrl, user, { deny = false } = {}) {
  const cookies = new Map([['user', encodeURIComponent(user)], ...(deny ? [['deny', '1']] : [])]);
  let address = new URL(authorizeUrl);
  for (let step = 0; step < 10; step += 1) {
    const answer = await visit(upstream, address, { headers: { Cookie: [...cookies].map((pair) => pair.join('=')).join('; ') } });
    for (const line of answer.cookies) {
      const [pair] = line.split(';');
      const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
      if (value === '') cookies.delete(name); else cookies.set(name, value);
    }
    if (!answer.location) throw new Error(`${address.pathname} answered ${answer.status}: ${answer.text.slice(0, 500)}`);
    address = new URL(answer.location, address);
    if (address.origin !== new URL(upstream.issuer).origin) return address.href;
  }
  throw new Error('the provider sends a person in circles');
}
