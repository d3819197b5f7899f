// People who mind their own business beside the parties that could hold them up, whose own file is
// guilty.mjs. `make bench`, `make soak` and tests/e2e use them.
import fs from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { send } from './browser.mjs';
import { fronts, startFront } from './fronts.mjs';
import { callServer, parties } from './guilty.mjs';
import { choose, connect, finish, journey, register, startFlow } from './journey.mjs';
import { startServerBehind } from './mcp_behind.mjs';
import { readsDocuments, startMetadataHosts } from './metadata_host.mjs';
import { childrenOf, sleep } from './server.mjs';
import { signIn, startProvider } from './upstreams.mjs';

const metadata = '/.well-known/oauth-authorization-server';

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
    this.documents = Array.from({ length: parties['50 document fetches that hang'].count }, (_, i) => host.put(`/hangs-${i}`, () => { /* no answer */ }));
    await this.signIn();
    return this;
  }

  async signIn() {
    this.innocent = (await journey(this.server, { client: this.client })).token;
    const tokens = [];
    for (let i = 0; i < 10; i += 1) tokens.push(await this.#signInGuilty(`guilty-${i}`));
    this.guiltyTokens = tokens;
    this.thread?.postMessage({ tokens });
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
    'plain call': async () => expect(await callServer(this.base, this.innocent, '/plain')),
    'well-known': async () => expect(await send(this.base, 'GET', metadata)),
    'sign-in': async () => { await journey(this.server, { client: this.client }); },
  };

  paces = { 'plain call': 40, 'well-known': 40, 'sign-in': 10 };

  #hang() {
    this.server.sql('UPDATE upstream_token SET expires_at = 1, retry_at = NULL');
    this.provider.failNext('hang', 100000);
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

  // Lets the parties go on until stop() is called, in a thread of their own: what they do to be
  // guilty must not make the innocent's clocks late.
  // out: stop, which gives how often each status came
  begin(names) {
    if (names.some((name) => parties[name].hangs)) this.#hang();
    const { base, client, guiltyTokens: tokens, documents, pace, provider: { issuer } } = this;
    const { issuer: ours, resource } = this.server;
    this.thread = new Worker(new URL('guilty.mjs', import.meta.url),
      { workerData: { names, pace, town: { server: { base, issuer: ours, resource }, client, tokens, documents, issuer } } });
    const ended = new Promise((done, fail) => { this.thread.once('message', done); this.thread.once('error', fail); });
    return { stop: async () => {
      this.thread.postMessage({ over: true });
      this.provider.failing.length = 0;
      return ended;
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
    await this.thread?.terminate();
    await this.server?.stop();
    await this.behind?.stop();
    await this.provider?.stop();
    await this.host?.stop();
  }
}
