// Real clients, each as a process of its own that keeps what it got in a folder: one interface for
// all of them. Owns: the processes. Does not own: what a person does with an address (app.mjs).
//   call(tool, person)  the tool's structured answer; person(address) gives the callback's address
//   clientId()          of its registration
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { root, until } from './server.mjs';
import { startStdio } from './stdio.mjs';

// docs/clients.md, whose commands are typed here, to this server: the words after the beginning of
// the first line that begins so.
const guide = fs.readFileSync(path.join(root, 'docs/clients.md'), 'utf8').split('\n');
const toServer = (text, server) => text.replace('https://tools.example.org/mcp', server.resource);
function lineOf(beginning) {
  const line = guide.find((one) => one.startsWith(beginning));
  if (!line) throw new Error(`docs/clients.md has no line that begins with ${beginning}`);
  return line;
}
export const typed = (beginning, server) => toServer(lineOf(beginning), server).slice(beginning.length).trim().split(' ');

export const installed = (file) => path.join(root, 'tests/e2e/node_modules', file);
const node = process.versions.node.split('.').map(Number);
const needs = (major, minor = 0) => (node[0] < major || (node[0] === major && node[1] < minor)) && `needs Node.js ${major}.${minor}`;
const running = new Set();
process.on('exit', () => { for (const child of running) child.kill('SIGKILL'); });

function track(child) {
  running.add(child);
  child.once('close', () => running.delete(child));
  return child;
}

// The browser comes back to a program. It may not listen yet when it has only just asked.
export async function comeBack(location) {
  const page = await until(() => fetch(location).catch(() => undefined), `the callback at ${location}`, 10000);
  if (page.status !== 200) throw new Error(`the callback answered ${page.status}: ${await page.text()}`);
  await page.text();
}

// ---- applications that use a library (library_client.mjs) ---------------------------------------

function library(name, key, skip = false) {
  return {
    name,
    skip,
    open(server, home) {
      const store = path.join(home, 'store.json');
      const program = path.join(root, 'tests/e2e/support/library_client.mjs');
      const child = track(spawn(process.execPath, [program, key, server.resource, store], { stdio: ['pipe', 'pipe', 'pipe'] }));
      let errors = '';
      child.stderr.on('data', (bytes) => { errors += bytes; });
      child.stdin.on('error', () => {}); // it ended, which the next answer reports
      const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      const tell = (message) => child.stdin.write(`${JSON.stringify(message)}\n`);
      return {
        async call(tool, person) {
          tell({ call: tool });
          for (;;) {
            const { value, done } = await lines.next();
            if (done) throw new Error(`the program ended: ${errors}`);
            const { asks, said, failed } = JSON.parse(value);
            if (failed) throw new Error(failed);
            if (!asks) return said;
            tell({ came: await person(asks) });
          }
        },
        clientId: () => JSON.parse(fs.readFileSync(store, 'utf8')).client.client_id,
        async stop() { child.stdin.end(); if (running.has(child)) await once(child, 'close'); },
      };
    },
  };
}

// ---- mcp-remote: what hosts that only know local servers put between ----------------------------

export const initialize = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'host', version: '1' } };

export const keptByRemote = (home, what) => {
  const base = path.join(home, '.mcp-auth');
  const name = fs.readdirSync(base, { recursive: true }).find((file) => String(file).endsWith(`_${what}.json`));
  return name && JSON.parse(fs.readFileSync(path.join(base, String(name)), 'utf8'));
};

export const startRemote = (server, home, port, ...more) => startStdio([installed('mcp-remote/dist/proxy.js'), ...typed('npx mcp-remote', server), String(port), '--transport', 'http-only', ...more], home);

// The answer, and the person at each address that it opens until then.
async function withPerson(stdio, answer, person) {
  let over = false;
  const known = stdio.addresses().length;
  const browsing = (async () => {
    for (let seen = known; ;) {
      await until(() => over || stdio.addresses().length > seen, 'an address or the answer', 60000);
      if (over) return;
      await comeBack(await person(stdio.addresses()[seen]));
      seen += 1;
    }
  })();
  const [result] = await Promise.all([answer.finally(() => { over = true; }), browsing]);
  if (result.gone !== undefined) throw new Error(`the program ended: ${result.gone}`);
  return result;
}

export const mcpRemote = {
  name: 'mcp-remote',
  skip: needs(20),
  open(server, home, port, ...more) {
    const stdio = startRemote(server, home, port, ...more);
    let greeted = false;
    return {
      async call(tool, person) {
        if (!greeted) {
          const hello = await withPerson(stdio, stdio.ask('initialize', initialize), person);
          if (!hello.result) throw new Error(`${JSON.stringify(hello)}\n${stdio.said()}`);
          stdio.tell({ method: 'notifications/initialized' });
          greeted = true;
        }
        const answer = await withPerson(stdio, stdio.ask('tools/call', { name: tool, arguments: {} }), person);
        if (!answer.result?.structuredContent) throw new Error(`${JSON.stringify(answer)}\n${stdio.said()}`);
        return answer.result.structuredContent;
      },
      said: () => stdio.said(),
      clientId: () => keptByRemote(home, 'client_info').client_id,
      stop: () => stdio.stop(),
    };
  },
};

// ---- the Inspector's command line: one process for each call ------------------------------------

const inspectorFile = installed('@modelcontextprotocol/inspector/clients/launcher/build/index.js');
export const inspectorCommand = (server) => [inspectorFile, ...typed('npx @modelcontextprotocol/inspector', server)];

function inspect(server, home, port, tool) {
  fs.writeFileSync(path.join(home, 'mcp.json'), toServer(lineOf('{ "mcpServers": { "tools": { "type": "streamable-http"'), server));
  const args = [inspectorFile, '--cli', '--config', ...typed('npx @modelcontextprotocol/inspector --cli --config', server),
    '--callback-url', `http://127.0.0.1:${port}/oauth/callback`, '--method', 'tools/call', '--tool-name', tool, '--format', 'json'];
  // Without a terminal it signs in only where it may open a browser (ours is `true`); the address
  // is on stderr. Without a keychain it keeps nothing unless it may keep it in a file.
  const env = { ...process.env, HOME: home, BROWSER: 'true', MCP_AUTO_OPEN_ENABLED: 'true', MCP_INSPECTOR_SECRET_STORE: 'file', NO_COLOR: '1' };
  return track(spawn(process.execPath, args, { cwd: home, env, stdio: ['pipe', 'pipe', 'pipe'] }));
}

export const inspector = {
  name: 'the Inspector',
  skip: needs(22, 19),
  open(server, home, port) {
    return {
      async call(tool, person) {
        const child = inspect(server, home, port, tool);
        const ended = once(child, 'close');
        let said = '';
        let errors = '';
        let asked = 0;
        const failures = [];
        child.stdout.on('data', (bytes) => { said += bytes; });
        child.stdin.on('error', () => {}); // it ended, which is reported below
        child.stderr.on('data', (bytes) => {
          errors += bytes;
          if (/\[y\/N\] $/.test(errors)) child.stdin.write('y\n'); // to the step-up
          for (const [, address] of [...errors.matchAll(/navigate to: (http\S+)\n/g)].slice(asked)) {
            asked += 1;
            person(address).then(comeBack).catch((error) => { failures.push(error); child.kill(); });
          }
        });
        const [code] = await ended;
        if (failures.length > 0) throw failures[0];
        if (code !== 0) throw new Error(`it ended with ${code}: ${said}${errors}`);
        return JSON.parse(said).result.structuredContent;
      },
      clientId: () => {
        const file = fs.readdirSync(path.join(home, '.mcp-inspector'), { recursive: true }).map(String).find((name) => name.endsWith('storage/oauth.json'));
        return /"client_id": ?"([^"]+)"/.exec(fs.readFileSync(path.join(home, '.mcp-inspector', file), 'utf8'))[1];
      },
      async stop() { /* nothing runs between calls */ },
    };
  },
};

export const realClients = [library('the SDK', 'sdk'), library('version 2 of the SDK', 'sdk2', needs(20)), library('@ai-sdk/mcp', 'ai', needs(22)), mcpRemote, inspector];
