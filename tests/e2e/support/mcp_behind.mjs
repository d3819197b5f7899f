// An MCP server as somebody has one already: no OAuth, plain HTTP on this machine. It tells what it
// was called with, which is how a test sees what reaches the server behind a gate.
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';

export class ServerBehind {
  constructor(server) {
    this.server = server;
    this.seen = [];
  }

  get port() { return this.server.address().port; }
  last() { return this.seen.at(-1); }

  async stop() {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }
}

// An MCP server writes these to have a web server answer with something else.
export const steering = { 'X-Accel-Redirect': '/other', 'X-Sendfile': '/etc/hostname', 'X-Sendfile2': '/etc/hostname 0-', 'X-LIGHTTPD-send-file': '/etc/hostname', Location: '/other' };

// POST: says what came as JSON; with X-Answer: 404 it knows nothing of it; with steer it tries to
// steer the web server. X-Silence: it answers after so many ms, or, with X-Answer: pause, is silent
// so long within its answer. GET with Accept:
// text/event-stream: five events, a tenth of a second between two.
// in: tls  key and certificate; absent: it speaks plain HTTP
export async function startServerBehind({ tls } = {}) {
  const options = { maxHeaderSize: 256 * 1024 };
  const create = (answer) => (tls ? https.createServer({ ...options, ...tls }, answer) : http.createServer(options, answer));
  const behind = new ServerBehind(create(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    behind.seen.push({ method: request.method, url: request.url, headers: request.headers, rawHeaders: request.rawHeaders, names: request.rawHeaders.filter((_, at) => at % 2 === 0), body });
    if (request.headers['x-answer'] === '404') {
      response.writeHead(404, { 'Content-Type': 'text/plain' }).end('not here');
      return;
    }
    if (request.headers['x-answer'] === 'steer') {
      response.writeHead(200, { 'Content-Type': 'text/plain', ...steering }).end('its own words');
      return;
    }
    const silent = () => new Promise((done) => { setTimeout(done, Number(request.headers['x-silence'] ?? 0)); });
    if (request.headers['x-answer'] === 'pause') {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: before\n\n');
      await silent();
      response.end('data: after\n\n');
      return;
    }
    await silent();
    if (request.headers.accept !== 'text/event-stream') {
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ headers: request.headers, length: body.length }));
      return;
    }
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    for (let i = 0; i < 5; i += 1) {
      response.write(`data: ${i}\n\n`);
      await new Promise((done) => { setTimeout(done, 100); });
    }
    response.end();
  }));
  behind.server.listen(0, '127.0.0.1');
  await once(behind.server, 'listening');
  return behind;
}
