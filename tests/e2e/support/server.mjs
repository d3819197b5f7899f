// Starts the demo server (lighttpd, the pages, the gate, the MCP server) on a free port with a
// folder of its own, and stops it. Owns: the temporary folder, the demo process. Does not own: the
// requests (browser.mjs) or what they mean (journey.mjs).
import { spawn, execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import assert from 'node:assert/strict';

const run = promisify(execFile);
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
const build = process.env.BUILD || 'build/asan';
const sanitizerWords = ['AddressSanitizer', 'LeakSanitizer', 'UndefinedBehaviorSanitizer', 'runtime error:'];
// Most tests walk in as strangers; those of XA1 say who comes in. `IDENTITIES: ''` is the program's
// own default.
const anyone = { IDENTITIES: 'any' };
const plenty = {
  CONSENTGATE_REGISTRATIONS_PER_MINUTE: '100000',
  CONSENTGATE_AUTHORIZATIONS_PER_MINUTE: '100000',
  CONSENTGATE_UNUSED_CLIENTS_PER_ADDRESS: '0',
  CONSENTGATE_FAILED_VIRTUAL_KEYS_PER_MINUTE: '1000',
  CONSENTGATE_CLIENT_DOCUMENT_FETCHES_PER_ADDRESS_PER_MINUTE: '100000',
};
const running = new Set();
process.on('exit', () => { for (const child of running) try { process.kill(child.pid, 'SIGTERM'); } catch { /* already gone */ } });

// Whether this process waits for that one's end. It must not while a test runs: one that fails
// leaves its server behind, and its file would wait for it until it is given up.
export function waitFor(child, yes) {
  for (const handle of [child, child.stdout, child.stderr]) if (yes) handle?.ref(); else handle?.unref();
}

export const sleep = (ms) => new Promise((done) => { setTimeout(done, ms); });

export async function until(question, what, ms = 60000) {
  const end = Date.now() + ms;
  for (;;) {
    const answer = await question();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`waited ${ms} ms in vain: ${what}`);
    await sleep(50);
  }
}

export async function freePort() {
  const probe = net.createServer();
  probe.listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

// A fresh folder; its name has a blank in it, because a data folder's name may.
export const freshFolder = (name = 'var') => fs.mkdtempSync(path.join(os.tmpdir(), `consentgate e2e ${name} `));

// Fresh folder without a blank, for settings that are lists separated by blanks.
export const plainFolder = () => fs.mkdtempSync(path.join(os.tmpdir(), 'consentgate-e2e-'));

function childEnvironment(port, folder, workers, env) {
  const report = path.join(folder, 'sanitizer');
  return {
    ...process.env,
    ASAN_OPTIONS: `log_path="${report}":detect_leaks=1:${process.env.ASAN_OPTIONS ?? ''}`,
    UBSAN_OPTIONS: `log_path="${report}":print_stacktrace=1:${process.env.UBSAN_OPTIONS ?? ''}`,
    ...plenty, ...anyone, PORT: String(port), VAR: folder, BUILD: build, WORKERS: String(workers), ...env,
  };
}

export function childrenOf(pid) {
  const found = [];
  for (const name of fs.readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const [state, parent] = fs.readFileSync(`/proc/${name}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
      if (Number(parent) === pid && state !== 'Z') found.push(Number(name));
    } catch { /* ended while we looked */ }
  }
  return found.sort((a, b) => a - b);
}

// Every worker of these masters is a new one, with the configuration that the file has now.
export async function reload(...masters) {
  const before = masters.flatMap(childrenOf);
  for (const master of masters) process.kill(master, 'SIGHUP');
  const left = () => masters.flatMap(childrenOf).filter((pid) => before.includes(pid));
  await until(() => left().length === 0, `the workers ${before} to be replaced`);
}

function readNulls(file) {
  return fs.readFileSync(file, 'utf8').split('\0').filter(Boolean);
}

// An hour of bad neighbours says more than a string can hold; its end is kept.
const mostKept = 256 * 1024 * 1024;
export const keptLog = (text) => (text.length > mostKept ? text.slice(-mostKept / 2) : text);

class Server {
  constructor(child, port, folder, keepFolder) {
    this.keepFolder = keepFolder;
    this.child = child;
    this.port = port;
    this.var = folder;
    this.base = `http://127.0.0.1:${port}`;
    this.issuer = this.base;
    this.resource = `${this.base}/mcp`;
    this.database = path.join(folder, 'consentgate.db');
    this.keyFile = path.join(folder, 'consentgate.key');
    this.output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => { this.output = keptLog(this.output + bytes); });
    this.ended = once(child, 'exit');
  }

  masterPid() { return Number(fs.readFileSync(path.join(this.var, 'consentgate.pid'), 'utf8').trim()); }

  workerPids() { return childrenOf(this.masterPid()); }

  // Writes who can come in into the configuration, for the next reload; empty: the program's own
  // default.
  writeIdentities(identities) {
    const file = path.join(this.var, 'consentgate.conf');
    const others = fs.readFileSync(file, 'utf8').split('\n').filter((line) => !line.startsWith('identities'));
    fs.writeFileSync(file, [...others, ...(identities ? [`identities = ${identities}`, ''] : [])].join('\n'));
  }

  // The same, and reloads the pages and the gate of the demo.
  async letIn(identities) {
    this.writeIdentities(identities);
    await reload(this.masterPid(), Number(fs.readFileSync(path.join(this.var, 'gate.pid'), 'utf8')));
  }

  // consentgate-admin with the very environment of the running master, which names its
  // configuration.
  environment() {
    return Object.fromEntries(readNulls(`/proc/${this.masterPid()}/environ`).map((line) => {
      const at = line.indexOf('=');
      return [line.slice(0, at), line.slice(at + 1)];
    }));
  }

  // out: stdout and stderr
  adminOutput(...args) { return run(path.resolve(root, build, 'consentgate-admin'), args, { cwd: this.var, env: this.environment() }); }

  async admin(...args) {
    const { stdout } = await this.adminOutput(...args);
    return args.includes('--json') ? JSON.parse(stdout) : stdout;
  }

  // `check` says what it finds on stderr.
  async check(env = {}) { return (await run(path.resolve(root, build, 'consentgate-admin'), ['check'], { cwd: this.var, env: { ...this.environment(), ...env } })).stderr; }

  async addKey(name, ...more) { return this.admin('key', 'add', name, ...more, '--json'); }

  // One statement through the sqlite3 command: an array of row objects.
  sql(statement, ...options) {
    const out = execFileSync('sqlite3', ['-json', '-cmd', '.timeout 20000', ...options, this.database, statement], { encoding: 'utf8' });
    return out.trim() ? JSON.parse(out) : [];
  }

  files(folder = this.var) {
    return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const name = path.join(folder, entry.name);
      return entry.isDirectory() ? this.files(name) : entry.isFile() ? [name] : [];
    });
  }

  logTexts() {
    return [this.output, ...this.files().filter((name) => /\.log$|sanitizer/.test(name)).map((name) => fs.readFileSync(name, 'utf8'))];
  }

  logs() { return this.logTexts().join('\n'); }

  async waitReady() {
    const ready = () => /^consentgate is ready|^ +http:\S+ is up\. /m.test(this.output); // the second: 0.1.0
    await until(() => ready() || this.child.exitCode !== null, 'the line "consentgate is ready"', 120000);
    if (!ready()) throw new Error(`the demo ended with ${this.child.exitCode} before it was ready:\n${this.logs()}`);
    return this;
  }

  assertNoSanitizerReport() {
    for (const text of this.logTexts()) { // one by one: an hour's logs are too long for one string
      const found = sanitizerWords.map((word) => text.indexOf(word)).filter((at) => at >= 0);
      const first = Math.min(...found, text.length);
      assert.deepEqual(found, [], `a sanitizer report: ${text.slice(Math.max(0, first - 300), first + 9000)}`);
    }
    const reports = this.files().filter((name) => path.basename(name).startsWith('sanitizer'));
    assert.deepEqual(reports, [], 'a sanitizer report file');
  }

  async stop() {
    waitFor(this.child, true);
    if (this.child.exitCode === null) this.child.kill('SIGTERM');
    const [code, signal] = await this.ended;
    running.delete(this.child);
    this.assertNoSanitizerReport();
    assert.deepEqual([code, signal], [0, null], `the demo must end with 0 after SIGTERM:\n${this.logTexts().map((text) => text.slice(-2000)).join('\n')}`);
    for (const name of ['consentgate.sock', 'gate.sock', 'mcp.sock']) {
      assert.equal(await connects(path.join(this.var, name)), false, `${name} still answers after the stop`);
    }
    if (!this.keepFolder) fs.rmSync(this.var, { recursive: true, force: true });
  }
}

function connects(socket) {
  return new Promise((done) => {
    const probe = net.connect(socket, () => { probe.destroy(); done(true); });
    probe.on('error', () => done(false));
  });
}

// in:  env      settings, or a function of {base, port, folder} that gives them
//      before   what to run in place of the bare command: an argument list that ends where the
//        command begins
//      port     a free one when absent
//      folder   the data folder, which stays; a fresh one, removed after the stop, when absent
//      home     another checkout, with programs in its build/release
export async function startServer({ env = {}, workers = 4, before = [], folder: given, port: wanted, home } = {}) {
  const folder = given ?? freshFolder();
  const port = wanted ?? await freePort();
  const settings = typeof env === 'function' ? env({ base: `http://127.0.0.1:${port}`, port, folder }) : env;
  const command = [...before, path.join(home ?? root, 'examples/demo.sh')];
  const theirs = home ? { BUILD: path.join(home, 'build/release') } : {};
  const child = spawn(command[0], command.slice(1), {
    cwd: home ?? root, env: childEnvironment(port, folder, workers, { ...theirs, ...settings }), stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  waitFor(child, false);
  const server = await new Server(child, port, folder, given !== undefined).waitReady();
  await until(() => server.workerPids().length === workers, `${workers} workers`); // the first answer needs but one
  return server;
}

// A server that must refuse to start: gives what it said; throws when it starts all the same.
export async function refusesToStart(env) {
  const folder = freshFolder('refused');
  let server;
  try {
    server = await startServer({ env, folder });
  } catch (error) {
    if (!/ended with [1-9]/.test(error.message)) throw error;
    return error.message;
  } finally {
    if (server) await server.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  }
  throw new Error('the server started');
}
