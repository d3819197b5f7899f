// Debian's glewlwyd as a service's authorization server: on loopback, over TLS, with a database of
// its own and nothing of Debian's configuration, beside an MCP server that names it and asks it
// whose a token is. Its people log in as its own login page does it: by its API, with a cookie.
// Owns: both processes and their folder. Does not own: what a sign-in looks like on our side
// (journey.mjs).
import { execFileSync, spawn } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import zlib from 'node:zlib';
import { freePort, plainFolder, sleep, until } from './server.mjs';
import { listen } from './metadata_host.mjs';
import { makeAuthority, visit } from './upstreams.mjs';

const scope = 'tools.read';
const nobody = 65534;
const folderOf = (kind) => `/usr/lib/glewlwyd/${kind}`;
const documents = '/usr/share/doc/glewlwyd/database';
const passwordOf = (name) => `the password of ${name}`;

const configuration = (base, port, folder) => `
port = ${port}
bind_address = "127.0.0.1"
external_url = "${base}"
login_url = "login.html"
api_prefix = "api"
log_mode = "console"
log_level = "WARNING"
cookie_domain = "localhost"
cookie_secure = 1
session_key = "GLEWLWYD2_SESSION_ID"
admin_scope = "g_admin"
profile_scope = "g_profile"
user_module_path = "${folderOf('user')}"
user_middleware_module_path = "${folder}"
client_module_path = "${folderOf('client')}"
user_auth_scheme_module_path = "${folderOf('scheme')}"
plugin_module_path = "${folderOf('plugin')}"
use_secure_connection = true
secure_connection_key_file = "${folder}/key.pem"
secure_connection_pem_file = "${folder}/certificate.pem"
hash_algorithm = "SHA512"
database = { type = "sqlite3" path = "${folder}/glewlwyd.db" };
`;

// Its OpenID Connect plugin, as its administration page would set it. resources: what a token may
// be asked for (RFC 8707)
function pluginParameters(issuer, resources, accessTokenSeconds, groups) {
  const pem = { format: 'pem' };
  const { privateKey, publicKey } = crypto.generateKeyPairSync('rsa', { modulusLength: 2048, privateKeyEncoding: { type: 'pkcs8', ...pem }, publicKeyEncoding: { type: 'spki', ...pem } });
  return {
    iss: issuer, 'jwt-type': 'rsa', 'jwt-key-size': '256', key: privateKey, cert: publicKey, 'jwks-show': true, 'subject-type': 'public', 'allowed-scope': ['openid', scope],
    'access-token-duration': accessTokenSeconds, 'refresh-token-duration': 86400, 'code-duration': 60, 'refresh-token-rolling': true, 'refresh-token-one-use': 'always',
    'allow-non-oidc': true, 'auth-type-code-enabled': true, 'auth-type-code-revoke-replayed': true, 'auth-type-refresh-enabled': true, 'auth-type-token-enabled': false,
    'auth-type-implicit-enabled': false, 'auth-type-password-enabled': false, 'auth-type-client-enabled': false, 'auth-type-device-enabled': false,
    'pkce-allowed': true, 'pkce-required': true, 'pkce-method-plain-allowed': false,
    'introspection-revocation-allowed': true, 'introspection-revocation-allow-target-client': true, 'introspection-revocation-auth-scope': [],
    'register-client-allowed': true, 'register-client-auth-scope': [], 'register-client-credentials-scope': [],
    'resource-allowed': true, 'resource-scope': { [scope]: resources }, 'resource-client-property': '', 'resource-scope-and-client-property': false,
    ...(groups ? { claims: [{ name: 'groups', 'user-property': 'groups', type: 'string', mandatory: true }] } : {}), 'session-management-allowed': true, 'session-cookie-name': 'SESSION_OF_CLIENTS', 'session-cookie-expiration': 86400, 'back-channel-logout-allowed': true, 'name-claim': 'mandatory', 'email-claim': 'no', 'scope-claim': 'no', 'request-parameter-allow': false, 'client-cert-source': 'no',
  };
}

const cookiesOf = (answer) => answer.cookies.map((line) => line.split(';')[0]).join('; ');

class Glewlwyd {
  constructor(options) {
    Object.assign(this, options);
    this.base = `https://localhost:${this.port}`;
    this.issuer = `${this.base}/api/oidc`;
    this.mcpUrl = `https://localhost:${this.mcpPort}/mcp`;
    this.said = '';
  }

  launch() {
    const key = path.join(this.folder, 'key.pem');
    fs.writeFileSync(key, this.certificate.key, { mode: 0o600 });
    fs.writeFileSync(path.join(this.folder, 'certificate.pem'), this.certificate.cert);
    fs.writeFileSync(path.join(this.folder, 'glewlwyd.conf'), configuration(this.base, this.port, this.folder));
    this.sql(zlib.gunzipSync(fs.readFileSync(`${documents}/init.sqlite3.sql.gz`)).toString());
    // Its administration page calls this a property of users.
    this.sql(`UPDATE g_user_module_instance SET gumi_parameters = json_set(gumi_parameters, '$."data-format".groups', json('{"multiple":true,"read":true,"write":true,"profile-read":true,"profile-write":false}'))`);
    const asRoot = process.getuid() === 0;
    if (asRoot) for (const name of ['', ...fs.readdirSync(this.folder)]) fs.chownSync(path.join(this.folder, name), nobody, nobody);
    this.child = spawn('/usr/bin/glewlwyd', [`--config-file=${this.folder}/glewlwyd.conf`], { cwd: this.folder, stdio: ['ignore', 'pipe', 'pipe'], ...(asRoot ? { uid: nobody, gid: nobody } : {}) });
    for (const stream of [this.child.stdout, this.child.stderr]) stream.on('data', (bytes) => { this.said += bytes; });
    this.kill = () => this.child.kill('SIGKILL');
    process.on('exit', this.kill);
  }

  async ready() {
    await until(async () => {
      if (this.child.exitCode !== null) throw new Error(`glewlwyd ended with ${this.child.exitCode}:\n${this.said}`);
      return visit(this, `${this.base}/config`).then(({ status }) => status === 200, () => false);
    }, 'glewlwyd', 30000);
  }

  // One call of its API. cookie: whose session. out: the answer, which must be 200
  async call(method, where, { cookie, body } = {}) {
    const headers = { ...(cookie ? { Cookie: cookie } : {}), ...(body ? { 'Content-Type': 'application/json' } : {}) };
    const answer = await visit(this, `${this.base}/api${where}`, { method, headers, body: body && JSON.stringify(body) });
    if (answer.status !== 200) throw new Error(`glewlwyd: ${method} ${where} answered ${answer.status} ${answer.text}`);
    return answer;
  }

  async logIn(username, password) { return cookiesOf(await this.call('POST', '/auth/', { body: { username, password } })); }

  async setUp(people, accessTokenSeconds, groups) {
    this.admin = await this.logIn('admin', 'password'); // as its SQL file has it
    const add = (what, body) => this.call('POST', `/${what}/`, { cookie: this.admin, body });
    await add('scope', { name: scope, display_name: 'Read with the tools', password_required: true, password_max_age: 0, scheme: {} });
    for (const name of people) await add('user', { username: name, name, password: passwordOf(name), enabled: true, scope: ['openid', scope], ...(groups?.[name] ? { groups: groups[name] } : {}) });
    await add('mod/plugin', { module: 'oidc', name: 'oidc', display_name: 'OpenID Connect', order_rank: 0, parameters: pluginParameters(this.issuer, [this.mcpUrl], accessTokenSeconds, groups) });
  }

  // The MCP server: it asks for a token, and says where they come from.
  answerMcp(request, response) {
    const say = (status, body, headers = {}) => response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(body));
    if (request.url === '/.well-known/oauth-protected-resource/mcp') {
      return say(200, { resource: this.mcpUrl, authorization_servers: [this.issuer], scopes_supported: [scope], bearer_methods_supported: ['header'] });
    }
    const metadata = new URL('/.well-known/oauth-protected-resource/mcp', this.mcpUrl);
    return request.url === '/mcp' ? say(401, {}, { 'WWW-Authenticate': `Bearer resource_metadata="${metadata}"` }) : say(404, {});
  }

  // Whose the token is, as glewlwyd says now; undefined when it is not good, or not for this MCP
  // server.
  async whoIs(token) {
    const answer = await visit(this, `${this.issuer}/userinfo`, { headers: { Authorization: `Bearer ${token}` } });
    if (answer.status !== 200) return undefined;
    const { aud } = JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
    return aud === this.mcpUrl ? JSON.parse(answer.text).name : undefined;
  }

  // The steps of a person who was sent there. stop: they look at its page and go no further
  // out: our callback's whole address; undefined after `stop`
  async signIn(authorizeUrl, user, { stop = false } = {}) {
    const here = (address) => new URL(address, this.base).origin === this.base;
    const sent = await visit(this, authorizeUrl);
    if (!sent.location) throw new Error(`glewlwyd answered ${sent.status} ${sent.text}`);
    if (!here(sent.location) || stop) return stop ? undefined : sent.location;
    const page = new URL(sent.location, this.base);
    const cookie = await this.logIn(user, passwordOf(user));
    await this.call('PUT', `/auth/grant/${page.searchParams.get('client_id')}`, { cookie, body: { scope: page.searchParams.get('scope') } });
    const back = await visit(this, `${page.searchParams.get('callback_url')}&g_continue`, { headers: { Cookie: cookie } });
    if (!back.location || here(back.location)) throw new Error(`glewlwyd answered ${back.status} ${back.location} ${back.text}`);
    return back.location;
  }

  clients() { return this.sql('SELECT gc_client_id AS id, gc_name AS name FROM g_client'); }

  // A confidential client, as its administration page makes one. out: its secret
  // in: logouts  the address that it calls when a session of its own ends
  async addClient(id, redirect, logouts) {
    const secret = crypto.randomBytes(24).toString('base64url');
    await this.call('POST', '/client/', { cookie: this.admin, body: { client_id: id, name: id, client_secret: secret, confidential: true, enabled: true, redirect_uri: [redirect],
      authorization_type: ['code', 'refresh_token'], token_endpoint_auth_method: ['client_secret_basic'], scope: [], ...(logouts && { backchannel_logout_uri: logouts }) } });
    return secret;
  }

  // The person ends a session of theirs there, by the id that its ID tokens have.
  async endSession(user, sid) { await this.call('DELETE', `/oidc/session/${sid}/`, { cookie: await this.logIn(user, passwordOf(user)) }); }

  // The person can log in no more.
  async disable(name) { await this.call('PUT', `/user/${name}`, { cookie: this.admin, body: { enabled: false, scope: ['openid', scope] } }); }

  async deleteClient(id) { await this.call('DELETE', `/client/${id}`, { cookie: this.admin }); }

  // How many refresh tokens of this person it takes.
  standing(user) { return this.sql(`SELECT count(*) AS n FROM gpo_refresh_token WHERE gpor_username = '${user}' AND gpor_enabled = 1`)[0].n; }

  // As if they had ended it there, in their profile.
  endAll(user) { this.sql(`UPDATE gpo_refresh_token SET gpor_enabled = 0 WHERE gpor_username = '${user}'`); }

  sql(statement) {
    const out = execFileSync('sqlite3', ['-json', '-cmd', '.timeout 20000', path.join(this.folder, 'glewlwyd.db')], { input: statement, encoding: 'utf8' });
    return out.trim() ? JSON.parse(out) : [];
  }

  async stop() {
    this.mcp?.close();
    this.mcp?.closeAllConnections();
    this.child.kill('SIGTERM');
    for (let tried = 0; tried < 100 && this.child.exitCode === null && this.child.signalCode === null; tried += 1) await sleep(50);
    this.kill();
    process.off('exit', this.kill);
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

// in:  people  who has an account there; groups  those of each, which ID tokens name
// out: issuer, mcpUrl, ca (a file), signIn, whoIs, clients, addClient, deleteClient, standing,
//      endAll, stop
export async function startGlewlwyd({ people, groups, accessTokenSeconds = 3600, authority = makeAuthority() }) {
  const certificate = authority.certificates.localhost;
  const glewlwyd = new Glewlwyd({ folder: plainFolder(), port: await freePort(), mcpPort: await freePort(), ca: authority.ca, certificate });
  glewlwyd.launch();
  try {
    await glewlwyd.ready();
    await glewlwyd.setUp(people, accessTokenSeconds, groups);
    glewlwyd.mcp = await listen(https.createServer(certificate, (request, response) => glewlwyd.answerMcp(request, response)), glewlwyd.mcpPort);
    glewlwyd.mcp.unref();
  } catch (error) {
    await glewlwyd.stop();
    throw error;
  }
  return glewlwyd;
}
