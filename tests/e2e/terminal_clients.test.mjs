// Command-line clients as people run them, unmodified and each in a home of its own: what each can
// do by itself, and where it needs its person. docs/clients.md says the same to people.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, test } from 'node:test';
import { deleteRegistration, endAccessTokens, gateAsksFor, personAt, revoke, timePasses } from './support/app.mjs';
import { send } from './support/browser.mjs';
import { codex } from './support/codex_cli.mjs';
import { startDemo } from './support/demo_behind.mjs';
import { gemini } from './support/gemini_cli.mjs';
import { clientName } from './support/journey.mjs';
import { opencode } from './support/opencode.mjs';
import { comeBack } from './support/real_clients.mjs';
import { plainFolder } from './support/server.mjs';

const long = { timeout: 400000 };
const old = Number(process.versions.node.split('.')[0]) < 20 && 'needs Node.js 20';
const servers = {};
before(async () => {
  servers.lighttpd = Object.assign(await startDemo('lighttpd'), { understandsDocuments: true });
  servers.Apache = await startDemo('Apache', { env: { CONSENTGATE_CLIENT_DOCUMENTS_ENABLED: 'false' } });
}, long);
after(async () => { for (const server of Object.values(servers)) await server.stop(); }, long);

// A client in a new home, signed in and started, and the person who uses it.
class Desk {
  constructor(server, client) {
    Object.assign(this, { server, client, home: plainFolder(), sessions: [], asked: [] });
    this.person = async (address) => {
      this.asked.push(new URL(address).searchParams);
      await comeBack(await personAt(server, address, { userId: 'ada' }));
    };
  }

  get id() { return this.asked.at(-1).get('client_id'); }
  get mine() { return `client=${this.id} identity=user_id:ada`; }

  async begin() { this.sessions = [await this.client.begin(this.server, this.home, this.person)]; }
  async openAnother() { this.sessions.push(await this.client.open(this.server, this.home)); }
  async again(scopes) { this.sessions[0] = await this.client.again(this.sessions[0], this.server, this.home, this.person, scopes); }

  call(tool, at = 0) { return this.sessions[at].call(tool); }
  refreshToken() { return this.client.refreshToken(this.home); }

  // Its access token is over; a client that looks at its own clock sees so, too.
  async tokensEnd() {
    endAccessTokens(this.server, this.id);
    for (const session of this.sessions) await session.dayPasses?.();
  }

  async leave() {
    for (const session of this.sessions) await session.stop();
    fs.rmSync(this.home, { recursive: true, force: true });
  }
}

async function atDesk(front, client, work) {
  const desk = new Desk(servers[front], client);
  try {
    await desk.begin();
    await work(desk, servers[front]);
  } finally { await desk.leave(); }
}

async function signsInAndRefreshes(desk, server) {
  assert.deepEqual(['scope', 'resource', 'code_challenge_method'].map((name) => desk.asked[0].get(name)), [desk.client.asksFirst, server.resource, 'S256']);
  assert.equal(await clientName(server, desk.id), desk.client.registersAs);
  assert.equal(await desk.call('whoami'), desk.mine);
  await desk.openAnother();
  assert.equal(await desk.call('whoami', 1), desk.mine);

  const first = desk.refreshToken();
  await desk.tokensEnd();
  assert.deepEqual(await Promise.all([desk.call('whoami'), desk.call('whoami', 1)]), [desk.mine, desk.mine], 'both refresh at once');
  assert.notEqual(desk.refreshToken(), first);
  for (const [ahead, behind] of [[0, 1], [1, 0]]) {
    await desk.tokensEnd();
    assert.equal(await desk.call('whoami', ahead), desk.mine);
    timePasses(server);
    assert.equal(await desk.call('whoami', behind), desk.mine, 'the process that was left behind');
  }
  assert.equal(desk.asked.length, 1, 'a refresh needs no person');
  assert.equal(server.sql(`SELECT COUNT(*) AS n FROM session WHERE client_id = '${desk.id}' AND revoked_at IS NULL`)[0].n, 1);
}

async function stepsUp(desk, server) {
  const { stepUp, operatorAsks } = desk.client;
  if (stepUp) {
    const before = desk.mine;
    assert.match(await desk.call('profile'), stepUp);
    assert.equal(await desk.call('whoami'), before, 'what it had is still good');
    if (operatorAsks) await gateAsksFor(server, 'mcp profile');
    await desk.again(['mcp', 'profile']);
    if (operatorAsks) await gateAsksFor(server, 'mcp');
  }
  assert.equal(desk.asked.at(-1).get('scope'), 'mcp profile');
  assert.equal(await desk.call('profile'), desk.mine);
}

async function comesBack(desk, server) {
  const lost = desk.id;
  deleteRegistration(server, lost);
  await desk.tokensEnd();
  assert.match(await desk.call('whoami'), desk.client.forgotten);
  await desk.again();
  assert.notEqual(desk.id, lost);
  assert.equal(await desk.call('whoami'), desk.mine);
}

async function isOut(desk, server) {
  await revoke(server, desk.id, desk.refreshToken());
  assert.match(await desk.call('whoami'), desk.client.ended);
}

for (const front of ['lighttpd', 'Apache']) {
  for (const client of [codex, gemini, opencode]) {
    test(`XE8: ${client.name} (behind ${front}) signs in, calls, refreshes, also two processes of it, reaches a second scope, signs in anew after its registration was deleted, and is out when it was revoked`, { ...long, skip: client.skip || old }, () => atDesk(front, client, async (desk, server) => {
      await signsInAndRefreshes(desk, server);
      await stepsUp(desk, server);
      await comesBack(desk, server);
      await isOut(desk, server);
    }));
  }
}

test('XE8: Codex CLI names itself by a document where documents are understood, and the first page names the host of that document', { ...long, skip: old }, async () => {
  const home = plainFolder();
  try {
    const address = new URL(await codex.firstAddress(servers.lighttpd, home));
    assert.equal(address.searchParams.get('client_id'), 'https://chatgpt.com/oauth/codex/client.json');
    const page = await send(servers.lighttpd.base, 'GET', address.pathname + address.search);
    assert.equal(page.status, 200, page.text);
    assert.match(page.text, /<bdi>chatgpt\.com<\/bdi>/);
  } finally { fs.rmSync(home, { recursive: true, force: true }); }
});
