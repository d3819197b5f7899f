// The parties that could hold others up: a service that hangs, strangers with codes they made up,
// bodies that come drop by drop, hosts of documents that hang, and whoever registers again and
// again. neighbours.mjs runs them in a thread of their own, which is the end of this file.
import http from 'node:http';
import net from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { Browser, query, send } from './browser.mjs';
import { api, authorizeParameters, beginConnection, choose, pkce, startFlow } from './journey.mjs';
import { sleep } from './server.mjs';

// One call of an MCP server.
export const callServer = (base, token, target) => send(base, 'POST', target, { headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` }, body: '{}' });

// A client that sends a form drop by drop, half a kilobyte a second, until somebody answers.
// in: from  its address. out: the status; undefined: it was hung up on
export function dripOnce(base, from, stopped = () => false) {
  const socket = net.connect({ port: Number(new URL(base).port), host: '127.0.0.1', localAddress: from });
  let text = '';
  socket.on('data', (bytes) => { text += bytes; if (/^HTTP\/1\.1 \d{3}/.test(text)) socket.destroy(); });
  socket.on('error', () => { /* it may be closed at any moment */ });
  socket.write(`POST ${api}/token HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 5000\r\n\r\ngrant_type=`);
  const drops = setInterval(() => { if (stopped()) socket.destroy(); else socket.write('x'.repeat(100)); }, 200);
  return new Promise((done) => {
    socket.once('close', () => { clearInterval(drops); done(Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]) || undefined); });
  });
}

// out: the status
const sendFrom = (localAddress, base, method, target, body) => new Promise((done, fail) => {
  const request = http.request({ port: new URL(base).port, host: '127.0.0.1', localAddress, method, path: target, agent: false, headers: body ? { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) } : {} },
    (answer) => { answer.resume(); answer.on('end', () => done(answer.statusCode)); });
  request.on('error', fail);
  request.end(body);
});

async function callBack(town) {
  const flow = await startFlow(town.server, { client: town.client });
  await choose(flow, { skip: true });
  const begun = await beginConnection(flow, 'notion');
  if (begun.status !== 302) return begun.status;
  return (await flow.browser.get(query('/api/oauth/callback/notion', { code: 'made-up', state: begun.sent().get('state'), iss: town.issuer }))).status;
}

async function fetchDocument(town, i) {
  const browser = new Browser(town.server.base);
  const page = await browser.get(query(`${api}/authorize`, authorizeParameters(town.server, { client_id: town.documents[i] }, pkce(), { redirect_uri: 'http://localhost:53111/callback' })));
  const request = /name="request" value="([^"]*)"/.exec(page.text)?.[1].replaceAll('&amp;', '&');
  return request ? (await browser.post(`${api}/consent/client`, { request })).status : page.status;
}

async function registerAndBegin(town) {
  const begun = performance.now();
  const from = '127.0.1.1';
  const registered = await sendFrom(from, town.server.base, 'POST', `${api}/register`, JSON.stringify({ redirect_uris: ['http://localhost:53111/callback'], token_endpoint_auth_method: 'none' }));
  const flow = await sendFrom(from, town.server.base, 'GET', query(`${api}/authorize`, authorizeParameters(town.server, town.client, pkce())));
  if (flow !== 302) return flow;
  await sleep(Math.max(0, 60 - (performance.now() - begun))); // a thousand a minute
  return registered;
}

// count  so many do it at once, over and over
// hangs  a service must hang for it
// act    (town, which of them, whether all is over) => the status that they got
export const parties = {
  'service hangs at refresh, 50 call': { count: 50, hangs: true, act: async (town, i) => (await callServer(town.server.base, town.tokens[i % town.tokens.length], '/notion')).status },
  '50 callbacks with made-up codes': { count: 50, hangs: true, act: (town) => callBack(town) },
  '12 slow uploads': { count: 12, act: (town, i, stopped) => dripOnce(town.server.base, `127.0.0.${2 + i}`, stopped) },
  '50 document fetches that hang': { count: 50, act: (town, i) => fetchDocument(town, i) },
  '1,000 registrations and flows a minute': { count: 1, hurries: true, act: (town) => registerAndBegin(town) },
};

// in: names, pace, town (server: base, issuer, resource; client; tokens; documents; issuer: the
//     service's), then messages: tokens that replace the town's, and over
// out: a message: how often each status came
async function live({ names, pace, town }) {
  const statuses = {};
  let over = false;
  parentPort.on('message', (message) => {
    if (message.tokens) town.tokens = message.tokens;
    over ||= Boolean(message.over);
  });
  await Promise.all(names.flatMap((name) => {
    const { count, act, hurries } = parties[name];
    return Array.from({ length: count }, async (_, i) => {
      // Nobody waits for the others to begin.
      if (!hurries) await sleep((i / count) * 1000 / pace);
      while (!over) {
        const status = await act(town, i, () => over).catch(() => 'error');
        statuses[status] = (statuses[status] ?? 0) + 1;
        // As Retry-After says; a client that gets 401 asks its person.
        if (!hurries && [401, 429, 503].includes(status)) await sleep(1000 / pace);
      }
    });
  }));
  parentPort.postMessage(statuses);
  parentPort.close();
}

if (workerData?.town) await live(workerData);
