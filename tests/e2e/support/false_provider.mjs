// A provider that signs whatever a test wants: false ID tokens come from here, because no real
// provider makes them. Its metadata and keys are sound.
import { createHmac, createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { freePort } from './server.mjs';
import { listen } from './metadata_host.mjs';

const rsa = (bits = 2048) => generateKeyPairSync('rsa', { modulusLength: bits });
const encoded = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

class FalseProvider {
  constructor(origin, at) {
    Object.assign(this, { origin, at, issuer: origin + at, codes: new Map(), grants: new Map(), secret: 'a-secret-of-32-characters-or-more' });
    this.keys = { good: rsa(), ec: generateKeyPairSync('ec', { namedCurve: 'P-256' }), enc: rsa(), weak: rsa(1024), foreign: rsa() };
    this.make = (claims) => this.sign(claims);
  }

  jwk(kid, more) { return { ...this.keys[kid].publicKey.export({ format: 'jwk' }), kid, ...more }; }

  // in: key  by its name in `keys`; header  more members, undefined removes
  sign(claims, { key = 'good', header = {} } = {}) {
    const alg = key === 'ec' ? 'ES256' : 'RS256';
    const members = Object.fromEntries(Object.entries({ alg, kid: key, typ: 'JWT', ...header }).filter(([, value]) => value !== undefined));
    const body = `${encoded(members)}.${encoded(claims)}`;
    const signature = sign('sha256', Buffer.from(body), { key: this.keys[key].privateKey, dsaEncoding: 'ieee-p1363' });
    return `${body}.${signature.toString('base64url')}`;
  }

  // A token of three parts with this text for a signature.
  unsigned(claims, header, signature = '') { return `${encoded({ typ: 'JWT', ...header })}.${encoded(claims)}.${signature}`; }

  hmac(claims, secret, kid) {
    const body = `${encoded({ alg: 'HS256', typ: 'JWT', kid })}.${encoded(claims)}`;
    return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
  }

  publicPem(key) { return createPublicKey(this.keys[key].privateKey).export({ type: 'spki', format: 'pem' }); }

  async answer(request, response) {
    const url = new URL(request.url, this.origin);
    if (this.api?.(url, request, response)) return undefined;
    const path = url.pathname.slice(this.at.length);
    const json = (value) => response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
    if (path === '/.well-known/openid-configuration')
      return json({ issuer: this.issuer, authorization_endpoint: `${this.issuer}/authorize`, token_endpoint: `${this.issuer}/token`, jwks_uri: `${this.issuer}/jwks`, response_types_supported: ['code'],
        subject_types_supported: ['public'], id_token_signing_alg_values_supported: ['RS256', 'ES256'], code_challenge_methods_supported: ['S256'] });
    if (path === '/jwks') return json({ keys: [this.jwk('good', { use: 'sig', alg: 'RS256' }), this.jwk('ec', { use: 'sig', alg: 'ES256' }), this.jwk('enc', { use: 'enc' }), this.jwk('weak', { use: 'sig' })] });
    if (path === '/authorize') {
      const code = randomBytes(12).toString('hex');
      this.codes.set(code, url.searchParams);
      const back = new URL(url.searchParams.get('redirect_uri'));
      back.searchParams.set('code', code);
      back.searchParams.set('state', url.searchParams.get('state'));
      return response.writeHead(302, { Location: back.href }).end();
    }
    if (path !== '/token') return response.writeHead(404).end();
    let text = '';
    for await (const part of request) text += part;
    const form = new URLSearchParams(text);
    const asked = this.codes.get(form.get('code')) ?? this.grants.get(form.get('refresh_token'));
    if (!asked) return response.writeHead(400, { 'Content-Type': 'application/json' }).end('{"error":"invalid_grant"}');
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: this.issuer, sub: 'anna', aud: asked.get('client_id'), nonce: asked.get('nonce'), iat: now, exp: now + 300, email: 'anna@example.org', name: 'Anna', groups: [] };
    const grant = randomBytes(12).toString('hex');
    this.grants.set(grant, asked);
    return json({ ...(asked.get('scope').includes('offline_access') ? { refresh_token: grant } : {}), access_token: 'an-access-token', token_type: 'Bearer', expires_in: 300, id_token: await this.make(claims, now) });
  }

  async stop() {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }
}

// in:  at  path of the issuer
// out: issuer, secret, keys; make(claims, now): the ID token of the next answers, given the claims
// that a sound one would have; api(url, request, response): set by a test, true where it answered
export async function startFalseProvider({ at = '' } = {}) {
  const port = await freePort();
  const one = new FalseProvider(`http://localhost:${port}`, at);
  one.server = http.createServer((request, response) => {
    one.answer(request, response).catch((error) => { if (!response.headersSent) response.writeHead(500); response.end(String(error)); });
  });
  await listen(one.server, port);
  one.server.unref();
  return one;
}
