// Stands in for GitHub: its addresses, answers and errors have the shapes that we know from
// GitHub's documentation, not from GitHub, which no test asks.
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { freePort } from './server.mjs';
import { listen } from './metadata_host.mjs';

const page = 2; // entries of a page, whatever per_page says

class GitHub {
  constructor(issuer, people) {
    Object.assign(this, { issuer, people, secret: 'github-secret', clients: new Map(), codes: new Map(), tokens: new Map(), refreshTokens: new Map(), asked: [], failing: new Map(), scope: 'read:org,read:user,user:email' });
  }

  // Knows the server as its client.
  admit(server, id) {
    const client = `Iv1.${randomBytes(8).toString('hex')}`;
    this.clients.set(client, `${server.issuer}/oauth/signin/${id}/callback`);
    return client;
  }

  count(path) { return this.asked.filter((one) => one === path).length; }

  // The next answers at that path. answer: status, body, headers; or 'hang'
  fail(path, answer) { if (answer) this.failing.set(path, answer); else this.failing.delete(path); }

  async answer(request, response) {
    const url = new URL(request.url, this.issuer);
    this.asked.push(url.pathname);
    const json = (status, body, headers = {}) => response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', ...headers }).end(JSON.stringify(body));
    const failing = this.failing.get(url.pathname);
    if (failing === 'hang') return undefined;
    if (failing) return json(...failing);
    if (url.pathname === '/login/oauth/authorize') return this.authorize(url, request, response);
    if (url.pathname === '/login/oauth/access_token') return this.token(request, json);
    if (url.pathname.startsWith('/api/v3/user')) return this.api(url, request, json);
    return json(404, { message: 'Not Found' });
  }

  authorize(url, request, response) {
    const sent = url.searchParams;
    this.sent = sent;
    const registered = this.clients.get(sent.get('client_id'));
    if (!registered) return response.writeHead(404).end();
    const user = decodeURIComponent(/user=([^;]*)/.exec(request.headers.cookie ?? '')?.[1] ?? '');
    const back = new URL(registered);
    back.searchParams.set('state', sent.get('state'));
    if (sent.get('redirect_uri') !== registered) back.searchParams.set('error', 'redirect_uri_mismatch');
    else if (/deny=1/.test(request.headers.cookie ?? '')) back.searchParams.set('error', 'access_denied');
    else {
      const code = randomBytes(10).toString('hex');
      this.codes.set(code, { user, challenge: sent.get('code_challenge'), client: sent.get('client_id') });
      back.searchParams.set('code', code);
    }
    return response.writeHead(302, { Location: back.href }).end();
  }

  // Errors come with 200.
  async token(request, json) {
    let text = '';
    for await (const part of request) text += part;
    const form = new URLSearchParams(text);
    const error = (word) => json(200, { error: word, error_description: 'Words for people that nobody may see.', error_uri: 'https://docs.github.com/x' });
    if (!this.clients.has(form.get('client_id')) || form.get('client_secret') !== this.secret) return error('incorrect_client_credentials');
    if (form.get('grant_type') === 'refresh_token') {
      const user = this.refreshTokens.get(form.get('refresh_token'));
      this.refreshTokens.delete(form.get('refresh_token'));
      return user ? this.give(user, json) : error('bad_refresh_token');
    }
    const code = this.codes.get(form.get('code'));
    this.codes.delete(form.get('code'));
    if (!code || code.client !== form.get('client_id')) return error('bad_verification_code');
    if (createHash('sha256').update(form.get('code_verifier') ?? '').digest('base64url') !== code.challenge) return error('bad_verification_code');
    return this.give(code.user, json);
  }

  // An OAuth app's tokens do not end; those of a GitHub App do after eight hours, and are renewed.
  give(user, json) {
    const token = `${this.expiring ? 'ghu' : 'gho'}_${randomBytes(18).toString('hex')}`;
    this.tokens.set(token, user);
    if (!this.expiring) return json(200, { access_token: token, scope: this.scope, token_type: 'bearer' });
    const refresh = `ghr_${randomBytes(18).toString('hex')}`;
    this.refreshTokens.set(refresh, user);
    return json(200, { access_token: token, expires_in: 28800, refresh_token: refresh, refresh_token_expires_in: 15811200, scope: '', token_type: 'bearer' });
  }

  // The person, or an owner of the organisation, takes back what the app was given.
  revoke(user) {
    for (const kept of [this.tokens, this.refreshTokens]) for (const [token, whose] of kept) if (whose === user) kept.delete(token);
  }

  api(url, request, json) {
    const person = this.people[this.tokens.get(/^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1])];
    if (!person) return json(401, { message: 'Requires authentication', status: '401' });
    const list = (all, at) => {
      const from = Number(url.searchParams.get('page') ?? 1);
      const more = from * page < all.length;
      // GitHub's next page has another path than the first.
      const next = `${this.nextOrigin ?? this.issuer}/api/v3/user/${person.id}/${at}?per_page=100&page=${from + 1}`;
      return json(200, all.slice((from - 1) * page, from * page), more ? { Link: `<${next}>; rel="next", <${next}9>; rel="last"` } : {});
    };
    const at = url.pathname.replace('/api/v3/user', '').replace(/^\/\d+/, '');
    if (at === '') return json(200, { login: person.login, id: person.id, type: 'User', name: person.name ?? null, email: person.profile ?? null });
    if (at === '/emails') return json(200, person.emails ?? []);
    if (at === '/orgs') return list((person.orgs ?? []).map((login) => ({ login, id: 1 })), 'orgs');
    if (at === '/teams') return list((person.teams ?? []).map(([org, slug]) => ({ id: 2, name: slug, slug, organization: { login: org, id: 1 } })), 'teams');
    return json(404, { message: 'Not Found' });
  }

  async stop() {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }
}

// in: people  by the name of their cookie: id, login, name, emails, orgs, teams ([org, slug])
export async function startGithub(people) {
  const port = await freePort();
  const one = new GitHub(`http://localhost:${port}`, people);
  one.server = http.createServer((request, response) => {
    one.answer(request, response).catch((error) => { if (!response.headersSent) response.writeHead(500); response.end(String(error)); });
  });
  await listen(one.server, port);
  one.server.unref();
  return one;
}
