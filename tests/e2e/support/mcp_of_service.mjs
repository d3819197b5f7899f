// An MCP server that works with its caller's account at a service, and says of a bad token what the
// service says: a challenge that leads to the service.
import { once } from 'node:events';
import http from 'node:http';
import { ServerBehind } from './mcp_behind.mjs';

export const foreign = 'Bearer resource_metadata="https://service.example/.well-known/oauth-protected-resource", error="invalid_token"';

// X-Answer: these, whatever the token is.
const odd = {
  401: [401, { 'WWW-Authenticate': foreign }, '{"error":"invalid_token"}'],
  bare401: [401, {}, 'who are you?'],
  two401: [401, { 'WWW-Authenticate': [foreign, 'Basic realm="service"'] }, ''],
  scope403: [403, { 'WWW-Authenticate': 'Bearer error="insufficient_scope", scope="write", resource_metadata="https://service.example/x"' }, 'more rights'],
  other403: [403, { 'WWW-Authenticate': 'Negotiate' }, 'not you'],
  403: [403, {}, 'not you'],
  404: [404, {}, 'not here'],
  500: [500, {}, 'it broke'],
};

const tools = [{ name: 'whoami', inputSchema: { type: 'object' } }];
function answerTo({ method, params }, sub) {
  if (method === 'initialize') return { protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'of a service', version: '1' } };
  if (method === 'tools/list') return { tools };
  return { content: [{ type: 'text', text: sub }], structuredContent: { sub } };
}

// in: whoIs  the person of a token, as the service knows them
export async function startServerOfService(whoIs) {
  const server = http.createServer({ maxHeaderSize: 256 * 1024 }, async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    const [, token] = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '') ?? [];
    behind.seen.push({ token, headers: request.headers });
    const said = odd[request.headers['x-answer']];
    const sub = said ? undefined : token && await whoIs(token);
    const [status, headers, text] = said ?? (sub ? [200, {}, ''] : odd[401]);
    if (status !== 200) return response.writeHead(status, headers).end(text);
    if (request.method === 'GET' && request.headers['x-answer'] !== 'stream') return response.writeHead(405).end();
    if (request.method === 'GET') {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.write('data: first\n\n');
      behind.more = () => response.end('data: last\n\n');
      return undefined;
    }
    const call = JSON.parse(body || '{}');
    if (call.id === undefined) return response.writeHead(202).end();
    return response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id: call.id, result: answerTo(call, sub) }));
  });
  const behind = new ServerBehind(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return behind;
}
