// The demo's MCP server, whose tool `profile` answers 403 until the token has a second scope,
// behind lighttpd and behind Apache. Owns: that server and its port. Does not own: the web servers
// (server.mjs, fronts.mjs).
import fs from 'node:fs';
import path from 'node:path';
import { Child, fronts, startFront } from './fronts.mjs';
import { plainFolder, root, startServer, until } from './server.mjs';
import { startRecorder } from './wire_recorder.mjs';

// in:  front  'lighttpd', as in the demo itself, or 'Apache'
// out: what startServer gives
export async function startDemo(front, settings = {}) {
  if (front === 'lighttpd') return startServer(settings);
  const folder = plainFolder();
  const socket = path.join(folder, 'mcp.sock');
  const bridge = await startRecorder(socket); // Apache proxies to a port, and the demo's server has a socket
  const server = await startFront(fronts.find(({ name }) => name === front), { guards: [{ at: '/mcp', port: bridge.port }], ...settings });
  const program = new Child(path.join(root, 'examples/whoami_mcp.py'), [socket, server.resource]);
  await until(() => { if (program.ended) throw new Error(program.said); return fs.existsSync(socket); }, 'the demo\'s MCP server');
  const { stop } = server;
  server.stop = async () => {
    bridge.stop();
    await program.stop();
    fs.rmSync(folder, { recursive: true });
    await stop();
  };
  return server;
}
