// An HTTPS server in front of a real authorization server, whose documents or replies differ from
// the standard as those of well-known providers do.
import https from 'node:https';
import { listen } from './metadata_host.mjs';
import { freePort } from './server.mjs';
import { visit } from './upstreams.mjs';

const say = (response, status, body) => response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));

async function bodyOf(request) {
  let text = '';
  for await (const part of request) text += part;
  return text;
}

// in:  provider   of startProvider; authority  its own
//      servers    what the resource's document lists as its authorization servers; absent: there is
//                 no such document
//      documents  {path: (document of the provider) => document}
//      wrap       (tokens, form) => body, for what the provider's token endpoint answered
// out: url of the MCP server, origin, stop
export async function startOddService({ provider, authority, servers, documents = {}, wrap = (tokens) => tokens }) {
  const port = await freePort();
  const origin = `https://localhost:${port}`;
  const published = async () => JSON.parse((await visit(provider, '/.well-known/openid-configuration')).text);
  const answer = async (request, response) => {
    const { pathname } = new URL(request.url, origin);
    if (pathname === '/mcp') return response.writeHead(401, { 'WWW-Authenticate': 'Bearer' }).end();
    if (pathname === '/.well-known/oauth-protected-resource/mcp' && servers) return say(response, 200, { resource: `${origin}/mcp`, authorization_servers: servers(origin) });
    if (documents[pathname]) return say(response, 200, documents[pathname](await published()));
    if (pathname !== '/token') return say(response, 404, {});
    const { authorization } = request.headers;
    const form = await bodyOf(request);
    const reply = await visit(provider, '/token', { method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...(authorization ? { Authorization: authorization } : {}) }, body: form });
    return say(response, reply.status, wrap(JSON.parse(reply.text), new URLSearchParams(form)));
  };
  const server = https.createServer(authority.certificates.localhost, (request, response) => {
    answer(request, response).catch((error) => { response.writeHead(500).end(String(error)); });
  });
  await listen(server, port);
  server.unref();
  return { origin, url: `${origin}/mcp`, stop: () => new Promise((done) => { server.closeAllConnections(); server.close(done); }) };
}
