// A service made with the official SDK's own authorization router: its clients' secrets end after
// 30 days, and clients without a secret may register.
import { randomUUID } from 'node:crypto';
import https from 'node:https';
import express from 'express';
import { mcpAuthRouter } from '@modelcontextprotocol/sdk/server/auth/router.js';
import { InvalidGrantError } from '@modelcontextprotocol/sdk/server/auth/errors.js';
import { listen } from './metadata_host.mjs';
import { freePort } from './server.mjs';

class Books {
  constructor() {
    const clients = new Map();
    Object.assign(this, { clients, codes: new Map(), access: new Map(), refresh: new Map() });
    this.clientsStore = { getClient: (id) => clients.get(id), registerClient: (client) => { clients.set(client.client_id, client); return client; } };
  }

  // The person is who a cookie says, as in upstreams.mjs.
  async authorize(client, params, response) {
    const code = randomUUID();
    const user = /user=([^;]+)/.exec(response.req.headers.cookie ?? '')?.[1];
    this.codes.set(code, { client: client.client_id, user, challenge: params.codeChallenge });
    const back = new URL(params.redirectUri);
    back.searchParams.set('code', code);
    if (params.state !== undefined) back.searchParams.set('state', params.state);
    response.redirect(back.href);
  }

  async challengeForAuthorizationCode(client, code) { return this.codes.get(code)?.challenge; }

  give({ client_id: client }, user) {
    const [access, refresh] = [randomUUID(), randomUUID()];
    this.access.set(access, user);
    this.refresh.set(refresh, { client, user });
    return { access_token: access, token_type: 'bearer', expires_in: 3600, refresh_token: refresh };
  }

  async exchangeAuthorizationCode(client, code) {
    const found = this.codes.get(code);
    this.codes.delete(code);
    if (found?.client !== client.client_id) throw new InvalidGrantError('no such code');
    return this.give(client, found.user);
  }

  // Each refresh token is good once.
  async exchangeRefreshToken(client, token) {
    const found = this.refresh.get(token);
    this.refresh.delete(token);
    if (found?.client !== client.client_id) throw new InvalidGrantError('no such refresh token');
    return this.give(client, found.user);
  }

  async verifyAccessToken(token) { return { token, clientId: '', scopes: [], expiresAt: undefined, extra: { user: this.access.get(token) } }; }
}

// out: issuer, mcpUrl, ca, books (of clients and tokens), whoIs, stop
export async function startSdkService({ authority }) {
  const port = await freePort();
  const origin = `https://localhost:${port}`;
  const books = new Books();
  const app = express();
  const free = { rateLimit: false };
  app.use(mcpAuthRouter({ provider: books, issuerUrl: new URL(origin), resourceServerUrl: new URL(`${origin}/mcp`), authorizationOptions: free, tokenOptions: free, clientRegistrationOptions: free }));
  app.all('/mcp', (request, response) => response.status(401).set('WWW-Authenticate', `Bearer resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp"`).end());
  const server = https.createServer(authority.certificates.localhost, app);
  await listen(server, port);
  server.unref();
  return { issuer: origin, mcpUrl: `${origin}/mcp`, ca: authority.ca, books, whoIs: async (token) => books.access.get(token),
    stop: () => new Promise((done) => { server.closeAllConnections(); server.close(done); }) };
}
