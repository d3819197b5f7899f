// A client that is a program of its own: MCP over its stdin and stdout, and the addresses it asks a
// browser to open. Owns: the process, its folder. Does not own: what a person does with an address
// (app.mjs).
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { until } from './server.mjs';

const running = new Set();
let started = 0; // several may share a folder
process.on('exit', () => { for (const child of running) child.kill('SIGKILL'); });

// in:  command  the argument list after `node`
//      folder   its home, in which it may keep what it likes; no blank in its name, for BROWSER is
//        a list of commands
export function startStdio(command, folder) {
  started += 1;
  const opened = path.join(folder, `opened-${started}`);
  const browser = path.join(folder, `browser-${started}`);
  fs.writeFileSync(opened, '');
  fs.writeFileSync(browser, `#!/bin/sh\nprintf '%s\\n' "$1" >>'${opened}'\n`, { mode: 0o755 });
  const { DISPLAY, WAYLAND_DISPLAY, XDG_CURRENT_DESKTOP, ...rest } = process.env; // no desktop: BROWSER decides
  const child = spawn(process.execPath, command, { cwd: folder, env: { ...rest, HOME: folder, BROWSER: browser }, stdio: ['pipe', 'pipe', 'pipe'] });
  running.add(child);
  const ended = once(child, 'close');
  let said = '';
  let last = 0;
  const waiting = new Map();
  child.stderr.on('data', (bytes) => { said += bytes; });
  child.stdin.on('error', () => {}); // it ended, which the handler below reports
  readline.createInterface({ input: child.stdout }).on('line', (line) => {
    const message = JSON.parse(line); // anything else on stdout would break every host
    waiting.get(message.id)?.(message);
    waiting.delete(message.id);
  });
  child.on('close', () => { for (const done of waiting.values()) done({ gone: said }); });
  const tell = (message) => child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  const addresses = () => fs.readFileSync(opened, 'utf8').split('\n').filter(Boolean);
  return {
    said: () => said,
    addresses,
    tell,
    // The answer to one request, or { gone } with its last words when it ended first.
    ask(method, params = {}) {
      last += 1;
      const id = last;
      const answer = new Promise((done) => { waiting.set(id, done); });
      tell({ id, method, params });
      return answer;
    },
    nextAddress: async (known = 0) => (await until(() => addresses().length > known && addresses(), `an address to open\n${said}`, 20000)).at(-1),
    async stop() {
      child.stdin.end();
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 5000);
      await ended;
      clearTimeout(late);
      running.delete(child);
    },
  };
}
