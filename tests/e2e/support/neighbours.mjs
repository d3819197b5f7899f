// People who mind their own business, and the parties that could hold them up: a service that
// hangs, strangers with codes they made up, bodies that come drop by drop, hosts of documents that
// hang, and whoever registers again and again. `make bench`, `make soak` and tests/e2e use them.
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { Browser, query, send } from './browser.mjs';
import { fronts, startFront } from './fronts.mjs';
import { api, authorizeParameters, beginConnection, choose, connect, finish, journey, pkce, register, startFlow } from './journey.mjs';
import { startServerBehind } from './mcp_behind.mjs';
import { readsDocuments, startMetadataHosts } from './metadata_host.mjs';
import { childrenOf, sleep } from './server.mjs';
import { signIn, startProvider } from './upstreams.mjs';

const metadata = '/.well-known/oauth-authorization-server';
const call = (base, token, target) => send(base, 'POST', target, { headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` }, body: '{}' });

// A client that sends a form drop by drop, half a kilobyte a second, until somebody answers.
// in: from  its address. out: the status; undefined: it was hung up on
export function dripOnce(base, from, stopped = () => false) {
  const socket = net.connect({ port: Number(new URL(base).port), host: '127.0.0.1', localAddress: from });
  let text = '';
  socket.on('data', (bytes) => { text += bytes; if (/^HTTP\/1\.1 \d{3}/.test(text)) socket.destroy(); });
  socket.on('error', () => { /* it may be closed at any moment */ });
  socket.write(`POST ${api}/token HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 5000\r\n\r\ngrant_type=`);
  const drops = setInterval(() => { if (stopped()) socket.destroy(); else socket.write('x'.repeat(100)); }, 200);
  return new Promise((done) => {
    socket.once('close', () => { clearInterval(drops); done(Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]) || undefined); });
  });
}

// out: the status
const sendFrom = (localAddress, base, method, target, body) => new Promise((done, fail) => {
  const request = http.request({ port: new URL(base).port, host: '127.0.0.1', localAddress, method, path: target, agent: false, headers: body ? { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) } : {} },
    (answer) => { answer.resume(); answer.on('end', () => done(answer.statusCode)); });
  request.on('error', fail);
  request.end(body);
});

// The time that requests took, and what they were answered.
export class Times {
  ms = [];
  wrong = [];

  // in: due  when it should have begun
  async take(ask, due = performance.now()) {
    const problem = await ask().catch((error) => error.message);
    this.ms.push(performance.now() - due);
    if (problem) this.wrong.push(problem);
  }

  quantile(part) { return [...this.ms].sort((a, b) => a - b)[Math.min(this.ms.length - 1, Math.floor(this.ms.length * part))] ?? 0; }
}

const expect = (answer, status = 200) => (answer.status === status ? undefined : `${answer.status} ${answer.text.slice(0, 100)}`);

export class Neighbourhood {
  connected = new Set(); // the guilty whose accounts are connected

  // in: settings  of the program, besides what the parties need
  //     pace      what all but those who register do in a second, in parts of what `make bench` has
  async start({ workers = 8, settings = {}, pace = 1 } = {}) {
    this.pace = pace;
    const { ca, hosts: [host] } = await startMetadataHosts('localhost');
    fs.chmodSync(path.dirname(ca), 0o755);
    this.host = host;
    this.provider = await startProvider({ authority: { ca, certificates: { localhost: { key: fs.readFileSync(path.join(path.dirname(ca), 'localhost.key')), cert: fs.readFileSync(path.join(path.dirname(ca), 'localhost.pem')) } } } });
    this.behind = await startServerBehind();
    const guards = [{ at: '/plain', port: this.behind.port }, { at: '/notion', port: this.behind.port, service: 'notion' }];
    const env = { CONSENTGATE_SERVICE_CA: ca, ...readsDocuments(ca, [host]), CONSENTGATE_CLIENT_DOCUMENT_FETCHES_PER_ADDRESS_PER_MINUTE: '100000',
      CONSENTGATE_UNUSED_CLIENTS_PER_ADDRESS: '50', CONSENTGATE_GATE_WORKERS: String(workers), ...settings };
    this.server = await startFront(fronts.find(({ name }) => name === 'Apache'), { guards, workers, env, prepare: (one) => one.admin('service', 'add', 'notion', '--url', this.provider.mcpUrl) });
    this.base = this.server.base;
    this.client = await register(this.server);
    await this.signIn();
    return this;
  }

  async signIn() {
    this.innocent = (await journey(this.server, { client: this.client })).token;
    const tokens = [];
    for (let i = 0; i < 10; i += 1) tokens.push(await this.#signInGuilty(`guilty-${i}`));
    this.guiltyTokens = tokens;
  }

  // Their accounts are connected once and outlast their sessions: a service that rests connects
  // nobody.
  async #signInGuilty(user) {
    const flow = await startFlow(this.server, { client: this.client, more: { resource: `${this.base}/notion` } });
    await choose(flow, { userId: user });
    if (!this.connected.has(user)) await connect(this.server, flow, 'notion', (address) => signIn(this.provider, address, user));
    this.connected.add(user);
    return finish(this.server, flow);
  }

  // The innocent do these, one after another. out: a problem, or nothing
  innocents = {
    'plain call': async () => expect(await call(this.base, this.innocent, '/plain')),
    'well-known': async () => expect(await send(this.base, 'GET', metadata)),
    'sign-in': async () => { await journey(this.server, { client: this.client }); },
  };

  paces = { 'plain call': 40, 'well-known': 40, 'sign-in': 10 };

  // The guilty do these over and over. out: the status that they got
  guilty = {
    'service hangs at refresh, 50 call': { parties: 50, before: () => this.#hang(), act: async (i) => (await call(this.base, this.guiltyTokens[i % this.guiltyTokens.length], '/notion')).status },
    '50 callbacks with made-up codes': { parties: 50, before: () => this.#hang(), act: () => this.#callBack() },
    '12 slow uploads': { parties: 12, act: (i, stopped) => dripOnce(this.base, `127.0.0.${2 + i}`, stopped) },
    '50 document fetches that hang': { parties: 50, act: (i) => this.#fetchDocument(i) },
    '1,000 registrations and flows a minute': { parties: 1, hurries: true, act: () => this.#registerAndBegin() },
  };

  #age() { this.server.sql('UPDATE upstream_token SET expires_at = 1, retry_at = NULL'); }

  #hang() {
    this.#age();
    this.provider.failNext('hang', 100000);
  }

  async #callBack() {
    const flow = await startFlow(this.server, { client: this.client });
    await choose(flow, { skip: true });
    const begun = await beginConnection(flow, 'notion');
    if (begun.status !== 302) return begun.status;
    return (await flow.browser.get(query('/api/oauth/callback/notion', { code: 'made-up', state: begun.sent().get('state'), iss: this.provider.issuer }))).status;
  }

  async #fetchDocument(i) {
    const browser = new Browser(this.base);
    const id = this.host.put(`/hangs-${i}`, () => { /* no answer */ });
    const page = await browser.get(query(`${api}/authorize`, authorizeParameters(this.server, { client_id: id }, pkce(), { redirect_uri: 'http://localhost:53111/callback' })));
    const request = /name="request" value="([^"]*)"/.exec(page.text)?.[1].replaceAll('&amp;', '&');
    return request ? (await browser.post(`${api}/consent/client`, { request })).status : page.status;
  }

  async #registerAndBegin() {
    const begun = performance.now();
    const from = '127.0.1.1';
    const registered = await sendFrom(from, this.base, 'POST', `${api}/register`, JSON.stringify({ redirect_uris: ['http://localhost:53111/callback'], token_endpoint_auth_method: 'none' }));
    const flow = await sendFrom(from, this.base, 'GET', query(`${api}/authorize`, authorizeParameters(this.server, this.client, pkce())));
    if (flow !== 302) return flow;
    await sleep(Math.max(0, 60 - (performance.now() - begun))); // a thousand a minute
    return registered;
  }

  // All innocents at once, each in a lane of its own, `paces` a second: people who came as fast as
  // they were answered would fill the machine by themselves, and every ratio would measure that.
  // A late turn counts from when it was due. out: Times by name
  async watch(ms) {
    const times = {};
    const begun = performance.now();
    await Promise.all(Object.entries(this.innocents).map(async ([name, act]) => {
      times[name] = new Times();
      const step = 1000 / (this.paces[name] * this.pace);
      for (let due = begun; due < begun + ms; due += step) {
        await sleep(Math.max(0, due - performance.now()));
        await times[name].take(act, due);
      }
    }));
    return times;
  }

  // Lets the parties go on until stop() is called. out: stop, which gives how often each status
  // came
  begin(names) {
    const statuses = {};
    let over = false;
    const lanes = names.flatMap((name) => {
      const { parties, before, act, hurries } = this.guilty[name];
      before?.();
      return Array.from({ length: parties }, async (_, i) => {
        while (!over) {
          const status = await act(i, () => over).catch(() => 'error');
          statuses[status] = (statuses[status] ?? 0) + 1;
          // As Retry-After says; a client that gets 401 asks its person.
          if (!hurries && [401, 429, 503].includes(status)) await sleep(1000 / this.pace);
        }
      });
    });
    return { stop: async () => {
      over = true;
      this.provider.failing.length = 0;
      await Promise.all(lanes);
      return statuses;
    } };
  }

  // out: processes (by id: bytes of memory, descriptors), database (bytes)
  usage() {
    const pids = [this.server.masterPid(), this.server.gate.pid].flatMap((master) => childrenOf(master));
    const processes = Object.fromEntries(pids.flatMap((pid) => {
      try {
        const kib = Number(/^VmRSS:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
        return [[pid, { bytes: kib * 1024, descriptors: fs.readdirSync(`/proc/${pid}/fd`).length }]];
      } catch { return []; } // ended meanwhile
    }));
    const database = this.server.files(path.dirname(this.server.database)).filter((name) => name.startsWith(this.server.database));
    return { processes, database: database.reduce((sum, name) => sum + fs.statSync(name).size, 0) };
  }

  async stop() {
    await this.server?.stop();
    await this.behind?.stop();
    await this.provider?.stop();
    await this.host?.stop();
  }
}
