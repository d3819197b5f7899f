// An MCP server as somebody has one already: no OAuth, plain HTTP on this machine. It tells what it
// was called with, which is how a test sees what reaches the server behind a gate.
import { once } from 'node:events';
import http from 'node:http';

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

// POST: says what came as JSON; with X-Answer: 404 it knows nothing of it. GET with Accept:
// text/event-stream: five events, a tenth of a second between two.
export async function startServerBehind() {
  const behind = new ServerBehind(http.createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    behind.seen.push({ method: request.method, url: request.url, headers: request.headers, rawHeaders: request.rawHeaders, names: request.rawHeaders.filter((_, at) => at % 2 === 0), body });
    if (request.headers['x-answer'] === '404') {
      response.writeHead(404, { 'Content-Type': 'text/plain' }).end('not here');
      return;
    }
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
