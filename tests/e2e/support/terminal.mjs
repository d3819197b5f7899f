// The surroundings of a command-line client: a home of its own, a browser that only notes what it
// is asked to open, and no way out of this machine. Owns: the processes. Does not own: what a
// person does with an address (app.mjs).
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { root, until } from './server.mjs';

const guide = fs.readFileSync(path.join(root, 'docs/clients.md'), 'utf8');

// The configuration that a client's section of docs/clients.md shows, to this server.
export function shown(section, server) {
  const block = guide.split(`## ${section}\n`)[1]?.split('\n## ')[0].match(/```json\n([^]*?)```/)?.[1];
  if (!block) throw new Error(`docs/clients.md shows no configuration of ${section}`);
  return JSON.parse(block.replaceAll('https://tools.example.org/mcp', server.resource));
}

const running = new Set();
process.on('exit', () => { for (const child of running) child.kill('SIGKILL'); });

// in:  home  without a blank in its name, for BROWSER is a list of commands
export function surroundings(home, more = {}) {
  const programs = path.join(home, 'programs');
  const browser = path.join(programs, 'xdg-open');
  if (!fs.existsSync(browser)) {
    fs.mkdirSync(programs);
    fs.writeFileSync(browser, `#!/bin/sh\nprintf '%s\\n' "$1" >>'${path.join(home, 'opened')}'\n`, { mode: 0o755 });
  }
  const nowhere = Object.fromEntries(['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'].flatMap((name) => [name, name.toLowerCase()]).map((name) => [name, 'http://127.0.0.1:9']));
  const here = { NO_PROXY: '127.0.0.1,localhost', no_proxy: '127.0.0.1,localhost' };
  return { PATH: `${programs}:${process.env.PATH}`, HOME: home, BROWSER: browser, TERM: 'dumb', NO_COLOR: '1', TMPDIR: home, ...nowhere, ...here, ...more };
}

export const opened = (home) => {
  const file = path.join(home, 'opened');
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
};

// A program that a person starts in a terminal.
export class Program {
  constructor(command, home, more) {
    this.home = home;
    this.known = opened(home).length; // several may share a home, but only one at a time asks
    this.said = '';
    this.child = spawn(command[0], command.slice(1), { cwd: home, env: surroundings(home, more), stdio: ['pipe', 'pipe', 'pipe'] });
    running.add(this.child);
    this.ended = once(this.child, 'close').then(([code]) => { running.delete(this.child); this.code = code; });
    this.child.stdin.on('error', () => {}); // it ended, which whoever waits for it will see
    for (const stream of [this.child.stdout, this.child.stderr]) stream.on('data', (bytes) => { this.said += bytes; });
  }

  // The next address that it asks the browser to open.
  async address() {
    const address = await until(() => {
      const all = opened(this.home);
      if (all.length <= this.known && this.code !== undefined) throw new Error(`it ended with ${this.code} and opened no address: ${this.said}`);
      return all[this.known];
    }, 'an address to open', 90000).catch((error) => { throw new Error(`${error.message}: ${this.said}`); });
    this.known += 1;
    return address;
  }

  // Waits for its end; one that fails throws.
  async end() {
    await this.ended;
    if (this.code !== 0) throw new Error(`it ended with ${this.code}: ${this.said}`);
    return this.said;
  }

  async stop() {
    this.child.kill('SIGTERM');
    const late = setTimeout(() => this.child.kill('SIGKILL'), 3000);
    await this.ended;
    clearTimeout(late);
  }
}

// A program that takes requests and gives answers, one JSON text a line.
export class LineProgram extends Program {
  constructor(command, home, more) {
    super(command, home, more);
    this.last = 0;
    this.waiting = new Map();
    readline.createInterface({ input: this.child.stdout }).on('line', (line) => {
      const message = line.startsWith('{') ? JSON.parse(line) : {};
      this.waiting.get(message.id)?.(message);
      this.waiting.delete(message.id);
    });
    this.ended.then(() => { for (const done of this.waiting.values()) done({ error: { message: `the program ended: ${this.said}` } }); });
  }

  tell(message) { this.child.stdin.write(`${JSON.stringify(message)}\n`); }

  // The result of a request; its error is thrown.
  async ask(method, params = {}) {
    this.last += 1;
    const id = this.last;
    const answer = new Promise((done) => { this.waiting.set(id, done); });
    this.tell({ id, method, params });
    const { result, error } = await answer;
    if (error) throw new Error(error.message);
    return result;
  }
}
