// A host of client metadata documents on this machine: HTTPS with an authority of its own, each
// path answered as a test says, every connection and request counted.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import { plainFolder } from './server.mjs';

const openssl = (...args) => execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });

// An authority, and a certificate of it for each of the names. out: ca (a file), certificates by
// name
export function makeCertificates(folder, names) {
  const file = (name) => path.join(folder, name);
  openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=Test authority', '-keyout', file('ca.key'), '-out', file('ca.pem'));
  const certificates = {};
  for (const name of names) {
    fs.writeFileSync(file(`${name}.ext`), `subjectAltName=DNS:${name}\n`);
    openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', `/CN=${name}`, '-keyout', file(`${name}.key`), '-out', file(`${name}.csr`));
    openssl('x509', '-req', '-days', '2', '-in', file(`${name}.csr`), '-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-CAcreateserial', '-extfile', file(`${name}.ext`), '-out', file(`${name}.pem`));
    certificates[name] = { key: fs.readFileSync(file(`${name}.key`)), cert: fs.readFileSync(file(`${name}.pem`)) };
  }
  return { ca: file('ca.pem'), certificates };
}

class MetadataHost {
  constructor(server) {
    this.server = server;
    this.paths = new Map();
    this.requests = [];
    this.open = 0;
    this.mostOpen = 0;
    server.on('request', (request, response) => {
      this.requests.push(request);
      this.open += 1;
      this.mostOpen = Math.max(this.mostOpen, this.open);
      response.on('close', () => { this.open -= 1; });
      const answer = this.paths.get(request.url) ?? this.paths.get(request.url.split('?')[0]);
      if (answer) answer(request, response);
      else response.writeHead(404).end();
    });
  }

  get port() { return this.server.address().port; }

  url(target) { return `https://localhost:${this.port}${target}`; }

  asked(target) { return this.requests.filter(({ url }) => url === target).length; }

  // answer: a function of request and response. out: the URL
  put(target, answer) { this.paths.set(target, answer); return this.url(target); }

  // A good document at that path; `more` overrides, undefined removes. out: the URL, which is the
  // client_id
  document(target, more = {}, headers = {}) {
    const document = { client_id: this.url(target), client_name: 'Documented app', redirect_uris: ['http://localhost/callback', 'http://127.0.0.1/callback'],
      grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], token_endpoint_auth_method: 'none', ...more };
    return this.put(target, (request, response) => response.writeHead(200, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(document)));
  }

  async stop() {
    if (!this.server.listening) return;
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }
}

export async function listen(server, port = 0) {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

// in:  names  whose certificate each of the hosts has
// out: ca (a file), and the hosts in order
export async function startMetadataHosts(...names) {
  const { ca, certificates } = makeCertificates(plainFolder(), new Set(names));
  const hosts = [];
  for (const name of names) hosts.push(new MetadataHost(await listen(https.createServer(certificates[name]))));
  return { ca, hosts };
}

// A listener that nobody may connect to.
export async function startCanary(host = '127.0.0.1') {
  const canary = { hits: 0 };
  const server = net.createServer((socket) => { canary.hits += 1; socket.destroy(); });
  server.listen(0, host);
  await once(server, 'listening');
  return Object.assign(canary, { port: server.address().port, stop: () => server.close() });
}

// Settings of a server that reads documents at these hosts, as often as tests ask.
export function readsDocuments(ca, hosts) {
  return {
    CONSENTGATE_CLIENT_DOCUMENT_INSECURE_TEST_HOSTS: hosts.map(({ port }) => `localhost:${port}`).join(' '),
    CONSENTGATE_CLIENT_DOCUMENT_INSECURE_TEST_CA: ca,
    CONSENTGATE_CLIENT_DOCUMENT_FETCHES_PER_MINUTE: '100000',
    CONSENTGATE_CLIENT_DOCUMENT_FETCHES_PER_HOST_PER_MINUTE: '100000',
  };
}
