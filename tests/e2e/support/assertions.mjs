// Clients' keys, and the assertions that they sign. spec: RFC 7523 section 3
import crypto from 'node:crypto';

const kinds = { RS256: ['rsa', { modulusLength: 2048 }], ES256: ['ec', { namedCurve: 'P-256' }] };

export const makeKey = (alg, kid = alg) => ({ alg, kid, ...crypto.generateKeyPairSync(...kinds[alg]) });

const strangers = {}; // keys of nobody, made once because that takes long
const stranger = (alg) => strangers[alg] ??= makeKey(alg, 'unknown');

export const keySet = (...keys) => ({ keys: keys.map(({ kid, publicKey }) => ({ ...publicKey.export({ format: 'jwk' }), kid, use: 'sig' })) });

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const sent = (jwt) => ({ client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: jwt });

// Makes the claims of the client `id` to the server, with `more` over them.
function claims(server, id, more) {
  const now = Math.floor(Date.now() / 1000);
  return { iss: id, sub: id, aud: server.issuer, iat: now, exp: now + 60, jti: crypto.randomUUID(), ...more };
}

// The parameters of a token request that prove the client with this key.
export function assertion(server, id, { alg, kid, privateKey }, more = {}) {
  const text = `${part({ alg, typ: 'JWT', kid })}.${part(claims(server, id, more))}`;
  return sent(`${text}.${crypto.sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`);
}

// Makes assertions that prove nothing, by their names: the key did not sign them, or not so.
export function forgeries(server, id, key) {
  const good = assertion(server, id, key).client_assertion;
  const [header, payload, signature] = good.split('.');
  const unsigned = (alg) => `${part({ alg, typ: 'JWT', kid: key.kid })}.${part(claims(server, id))}`;
  const mac = (text) => crypto.createHmac('sha256', key.publicKey.export({ type: 'spki', format: 'pem' })).update(text).digest('base64url');
  return {
    'signed with another key': assertion(server, id, { ...stranger(key.alg), kid: key.kid }),
    'signed with an unknown key': assertion(server, id, stranger(key.alg)),
    'changed after it was signed': sent(`${header}.${part(claims(server, id))}.${signature}`),
    'with a signature that was cut': sent(`${header}.${payload}.${signature.slice(0, -8)}`),
    'without a signature': sent(`${header}.${payload}.`),
    'with alg none': sent(`${unsigned('none')}.`),
    'with a MAC under the public key': sent(((text) => `${text}.${mac(text)}`)(unsigned('HS256'))),
    'for another server': assertion(server, id, key, { aud: 'https://else.example' }),
    'by another issuer': assertion(server, id, key, { iss: 'https://else.example' }),
    'that has expired': assertion(server, id, key, { iat: 1, exp: 2 }),
    'without an end': assertion(server, id, key, { exp: undefined }),
    'without an id': assertion(server, id, key, { jti: undefined }),
    'that is no JWT': sent('x'),
  };
}
