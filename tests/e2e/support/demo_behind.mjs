// The demo's MCP server, whose tool `profile` answers 403 until the token has a second scope, behind
// lighttpd and behind Apache. Owns: that server and its port. Does not own: the web servers
// (server.mjs, fronts.mjs).
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { Child, fronts, startFront } from './fronts.mjs';
import { freePort, root, startServer, until } from './server.mjs';

// A port of this machine that leads to the Unix socket on which the demo's server listens.
async function openPort(port, socket) {
  const peers = new Set();
  const server = net.createServer((peer) => {
    const behind = net.connect(socket);
    for (const [from, to] of [[peer, behind], [behind, peer]]) {
      peers.add(from);
      from.on('error', () => to.destroy()).on('close', () => { peers.delete(from); to.destroy(); });
      from.pipe(to);
    }
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return async () => {
    server.close();
    for (const peer of peers) peer.destroy();
    await once(server, 'close');
  };
}

// in:  front  'lighttpd', as in the demo itself, or 'Apache'
// out: what startServer gives
export async function startDemo(front, settings = {}) {
  if (front === 'lighttpd') return startServer(settings);
  const port = await freePort();
  const server = await startFront(fronts.find(({ name }) => name === front), { guards: [{ at: '/mcp', port }], ...settings });
  const socket = path.join(server.var, 'mcp.sock');
  const program = new Child(path.join(root, 'examples/whoami_mcp.py'), [socket, server.resource]);
  await until(() => { if (program.ended) throw new Error(program.said); return fs.existsSync(socket); }, 'the demo\'s MCP server');
  const closePort = await openPort(port, socket);
  const stop = server.stop;
  server.stop = async () => {
    await closePort();
    await program.stop();
    fs.rmSync(socket, { force: true }); // nobody answers there any more
    await stop();
  };
  return server;
}
