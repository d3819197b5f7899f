// A real OpenID provider (oidc-provider) on this machine, whose people log in by a cookie instead
// of a page: each has the claims that a test gives them.
import { once } from 'node:events';
import http from 'node:http';
import Provider from 'oidc-provider';
import { createHmac, createPrivateKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { freePort } from './server.mjs';
import { listen } from './metadata_host.mjs';

const standardClaims = { openid: ['sub', 'acr'], profile: ['name', 'preferred_username'], email: ['email', 'email_verified'], groups: ['groups'] };

function freshKeys(kid) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { keys: [{ ...privateKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' }] };
}

const cookiesOf = (text) => Object.fromEntries((text ?? '').split('; ').map((pair) => pair.split('=').map(decodeURIComponent)));

class IdentityProvider {
  constructor({ issuer, at, people, inUserinfo, secret, forwards, logouts, offline }) {
    Object.assign(this, { issuer, at, origin: new URL(issuer).origin, people, inUserinfo, secret, forwards, logouts, offline, disabled: new Set(), refreshTokens: new Set(), clients: [], failing: [], asked: [], rotations: 0 });
    this.make();
  }

  make() {
    this.keys = freshKeys(`key-${this.rotations}`);
    this.provider = new Provider(this.issuer, {
      jwks: this.keys,
      fetch: (url, { method, headers, body }) => fetch(url, { method, headers, body, redirect: 'manual' }), // its own one refuses this machine's addresses
      clients: this.clients,
      scopes: ['openid', 'profile', 'email', 'groups', ...(this.offline ? ['offline_access'] : [])],
      acrValues: ['pwd', 'mfa'],
      claims: standardClaims,
      conformIdTokenClaims: this.inUserinfo,
      pkce: { required: () => true },
      cookies: { keys: ['test'] },
      ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 86400, IdToken: 600, Interaction: 600, Session: 86400 },
      findAccount: (context, sub) => (this.disabled.has(sub) ? undefined : { accountId: sub, claims: () => ({ sub, ...this.people[sub] }) }),
      interactions: { url: (context, { uid }) => `${this.at}/interaction/${uid}` },
      features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: true }, backchannelLogout: { enabled: true } },
      renderError: (context, out) => { context.type = 'json'; context.body = out; },
    });
    this.provider.on('backchannel.error', (context, error) => { this.undelivered = error; });
    this.provider.on('refresh_token.saved', (token) => this.refreshTokens.add(token.jti));
    this.provider.use(async (context, next) => {
      await next();
      if (context.oidc?.route !== 'discovery') return;
      if (this.forwards) context.body = { ...context.body, authorization_endpoint: this.issuer.replace('localhost', '127.0.0.1') + '/hop' };
    });
    this.handle = this.provider.callback();
  }

  // Knows the server as its client. in: server  of server.mjs; id  of the row there
  admit(server, id = 'corp') {
    this.clients.push({ client_id: `consentgate-${this.clients.length}`, client_secret: this.secret, redirect_uris: [`${server.issuer}/oauth/signin/${id}/callback`],
      post_logout_redirect_uris: [`${server.issuer}/oauth/sessions`], grant_types: ['authorization_code', ...(this.offline ? ['refresh_token'] : [])], response_types: ['code'], token_endpoint_auth_method: 'client_secret_basic',
      ...(this.logouts && { backchannel_logout_uri: `${server.issuer}/oauth/signin/${id}/backchannel`, backchannel_logout_session_required: this.logouts === 'sid' }) });
    this.make();
    return this.clients.at(-1).client_id;
  }

  // A token with the provider's own signature, or with another one.
  // in: how  alg (RS256), kid, typ; key: a JWK, or the bytes of a secret
  sign(claims, { alg = 'RS256', kid = this.keys.keys[0].kid, typ = 'logout+jwt', key = this.keys.keys[0] } = {}) {
    const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const text = `${part({ alg, ...(kid && { kid }), ...(typ && { typ }) })}.${part(claims)}`;
    if (alg === 'none') return `${text}.`;
    const proof = alg === 'HS256' ? createHmac('sha256', key).update(text).digest() : sign('sha256', Buffer.from(text), createPrivateKey({ key, format: 'jwk' }));
    return `${text}.${proof.toString('base64url')}`;
  }

  // The claims of a good logout token for that client. in: more  sub, sid, and what is to differ
  logoutClaims(clientId, more) {
    const now = Math.floor(Date.now() / 1000);
    return { iss: this.issuer, aud: clientId, iat: now, exp: now + 120, jti: randomUUID(), events: { 'http://schemas.openid.net/event/backchannel-logout': {} }, ...more };
  }

  // Signs with other keys from now on; who is logged in here logs in again.
  rotate() { this.rotations += 1; this.make(); }

  // The next requests to that path are answered otherwise.
  // in: answer  'hang', 'drip', or status, body, headers
  failNext(path, answer, times = 1) { for (let i = 0; i < times; i += 1) this.failing.push({ path, answer }); }

  count(path) { return this.asked.filter((one) => one === path).length; }

  async answer(request, response) {
    if (this.at) Object.assign(request, { originalUrl: request.url, url: request.url.startsWith(this.at) ? request.url.slice(this.at.length) : request.url });
    const { pathname } = new URL(request.url, this.issuer);
    this.asked.push(pathname);
    if (this.away) return response.writeHead(503, { 'Content-Type': 'application/json' }).end('{}');
    const at = this.failing.findIndex(({ path }) => path === pathname);
    if (at >= 0) return this.fail(response, this.failing.splice(at, 1)[0].answer);
    if (pathname === '/hop') return response.writeHead(302, { Location: `${this.issuer}/auth${new URL(request.url, this.issuer).search}` }).end();
    if (pathname.startsWith('/interaction/')) return this.logIn(request, response);
    return this.handle(request, response);
  }

  fail(response, answer) {
    if (answer === 'hang') return undefined;
    if (answer === 'drip') {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      const drops = setInterval(() => response.write(' '), 100);
      return response.on('close', () => clearInterval(drops));
    }
    const [status, body, headers = {}] = answer;
    return response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(typeof body === 'string' ? body : JSON.stringify(body));
  }

  // The page where a person would type their name: a cookie says it, and whether they refuse.
  async logIn(request, response) {
    const details = await this.provider.interactionDetails(request, response);
    const { user = Object.keys(this.people)[0], deny, acr } = cookiesOf(request.headers.cookie);
    if (deny) return this.provider.interactionFinished(request, response, { error: 'access_denied', error_description: 'The person said no.' });
    if (details.prompt.name === 'login') return this.provider.interactionFinished(request, response, { login: { accountId: user, ...(acr && { acr }) } });
    const grant = new this.provider.Grant({ accountId: details.session.accountId, clientId: details.params.client_id });
    grant.addOIDCScope(details.params.scope);
    return this.provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
  }

  async stop() {
    if (!this.server.listening) return;
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }
}

// in:  people      by their subject: the claims of each; a test may change them later
//      at        path of the issuer
//      inUserinfo  claims beside `sub` are in the userinfo answer alone
//      logouts     it sends logout tokens: 'sid' names the sign-in besides, 'sub' the person alone
//      offline     it gives refresh tokens; `disabled` holds who has no account there any more
//      forwards    its authorization endpoint is on another origin, and sends people on
// out: issuer, admit, rotate, failNext, asked (paths), count, away (true: all is 503), stop
export async function startIdentityProvider({ at = '', people = {}, inUserinfo = false, forwards = false, logouts, offline = false, secret = 's3cret%+:&~of=the provider' } = {}) {
  const port = await freePort(); // the provider must know its issuer before it listens
  const one = new IdentityProvider({ issuer: `http://localhost:${port}${at}`, at, people, inUserinfo, secret, forwards, logouts, offline });
  one.server = http.createServer((request, response) => {
    one.answer(request, response).catch((error) => { if (!response.headersSent) response.writeHead(500); response.end(String(error)); });
  });
  await listen(one.server, port);
  one.server.unref(); // a test that fails before it stops it ends all the same
  return one;
}

function visit(address, cookies, form) {
  return new Promise((done, fail) => {
    const headers = { Cookie: [...cookies].map((pair) => pair.join('=')).join('; '), ...(form && { 'Content-Type': 'application/x-www-form-urlencoded' }) };
    http.request(address, { method: form ? 'POST' : 'GET', headers, agent: false }, async (message) => {
      let text = '';
      for await (const part of message) text += part;
      done({ status: message.statusCode, location: message.headers.location, text, cookies: message.headers['set-cookie'] ?? [] });
    }).on('error', fail).end(form && new URLSearchParams(form).toString());
  });
}

// A browser's cookies at the provider.
export class AtProvider {
  constructor(provider) { this.provider = provider; this.cookies = new Map(); }

  async visit(address, form) {
    const answer = await visit(address, this.cookies, form);
    for (const line of answer.cookies) {
      const [pair] = line.split(';');
      const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
      if (value === '') this.cookies.delete(name); else this.cookies.set(name, value);
    }
    return answer;
  }

  // The person signs out there; the provider has called its clients when this is done.
  async signOut() {
    const page = await this.visit(new URL('/session/end', this.provider.issuer));
    const [, xsrf] = /name="xsrf" value="([^"]+)"/.exec(page.text) ?? [];
    if (!xsrf) throw new Error(`nobody is signed in there: ${page.status} ${page.text.slice(0, 300)}`);
    const answer = await this.visit(new URL('/session/end/confirm', this.provider.issuer), { xsrf, logout: 'yes' });
    if (this.provider.undelivered) throw this.provider.undelivered;
    return answer;
  }

  // The steps of a person there, until the provider sends them to our callback, which is not
  // visited. in: location  where they were sent; user  who they log in as, where they are asked;
  //              acr  how
  // out: the callback's path and query
  async signIn(location, user, { deny = false, acr } = {}) {
    this.cookies.set('user', encodeURIComponent(user));
    if (deny) this.cookies.set('deny', '1'); else this.cookies.delete('deny');
    if (acr) this.cookies.set('acr', acr); else this.cookies.delete('acr');
    let address = new URL(location);
    for (let step = 0; step < 12; step += 1) {
      const answer = await this.visit(address);
      if (!answer.location) throw new Error(`${address.pathname} answered ${answer.status}: ${answer.text.slice(0, 500)}`);
      address = new URL(answer.location, address);
      if (address.origin !== new URL(this.provider.issuer).origin) return address.pathname + address.search;
    }
    throw new Error('the provider sends a person in circles');
  }
}
