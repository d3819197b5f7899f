// A real browser for tests, and the three kinds of places a client can wait at for its answer.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { plainFolder } from './server.mjs';

const quiet = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

// hosts: names that lead to a port of this machine, { 'client.example.test': 4443 }; every other
// name leads nowhere.
export function launch(hosts = {}) {
  const rules = [...Object.entries(hosts).map(([name, port]) => `MAP ${name}:443 127.0.0.1:${port}`), 'MAP * ~NOTFOUND', 'EXCLUDE 127.0.0.1', 'EXCLUDE localhost'];
  return chromium.launch({ executablePath: '/usr/bin/chromium', headless: true, args: [...quiet, `--host-resolver-rules=${rules.join(', ')}`] });
}

// A browser whose person switched cookies off. out: context, stop
export async function launchWithoutCookies() {
  const profile = plainFolder();
  fs.mkdirSync(path.join(profile, 'Default'));
  fs.writeFileSync(path.join(profile, 'Default', 'Preferences'), JSON.stringify({ profile: { default_content_setting_values: { cookies: 2 } } }));
  const context = await chromium.launchPersistentContext(profile, { executablePath: '/usr/bin/chromium', headless: true, args: quiet });
  return { context, stop: async () => { await context.close(); fs.rmSync(profile, { recursive: true, force: true }); } };
}

// A client's own web server: keeps the addresses that were called.
// in: handsOver  by path, where the browser is sent on: a function of the query that gives the
//       address
async function listen(server, handsOver = {}) {
  const calls = [];
  server.on('request', (request, response) => {
    if (!request.url.startsWith('/favicon')) calls.push(request.url);
    const { pathname, search } = new URL(request.url, 'http://app.invalid');
    if (handsOver[pathname]) return response.writeHead(302, { Location: handsOver[pathname](search) }).end();
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    // Without an icon of its own the browser asks for one late, and blames the next page for it.
    return response.end('<!doctype html><html lang="en"><title>The app</title><link rel="icon" href="data:,"><h1>Back in the app</h1></html>');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { calls, port: server.address().port, stop: () => { server.closeAllConnections(); server.close(); } };
}

export const loopbackClient = () => listen(http.createServer());

export function httpsClient(name, handsOver) {
  const folder = plainFolder();
  const [key, certificate] = ['key.pem', 'certificate.pem'].map((file) => path.join(folder, file));
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`, '-keyout', key, '-out', certificate], { stdio: 'pipe' });
  const server = https.createServer({ key: fs.readFileSync(key), cert: fs.readFileSync(certificate) });
  fs.rmSync(folder, { recursive: true });
  return listen(server, handsOver);
}

// Browsers ask for this by themselves, also for a page that the person has left since.
const isIcon = (url) => url.endsWith('/favicon.ico');

// A page whose complaints are kept: what the Content-Security-Policy refused, errors of the
// console, and where it was sent to.
export async function watchedPage(context) {
  const page = await context.newPage();
  const complaints = [];
  const requested = [];
  page.on('console', (message) => {
    const ofIcon = isIcon(message.location().url) || message.text().includes("/favicon.ico'");
    if (!ofIcon && (message.type() === 'error' || /Content Security Policy|Refused to/i.test(message.text()))) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  const session = await context.newCDPSession(page);
  await session.send('Network.enable');
  const icons = new Set();
  session.on('Network.requestWillBeSent', ({ request, requestId }) => { if (isIcon(request.url)) icons.add(requestId); requested.push(request.url); });
  session.on('Network.loadingFailed', (event) => { if (event.blockedReason && !icons.has(event.requestId)) complaints.push(`blocked: ${event.blockedReason}`); });
  await session.send('Audits.enable').catch(() => {});
  session.on('Audits.issueAdded', ({ issue }) => { if (issue.code === 'ContentSecurityPolicyIssue' && !isIcon(issue.details.contentSecurityPolicyIssueDetails?.blockedURL ?? '')) complaints.push(JSON.stringify(issue.details)); });
  return { page, complaints, requested };
}
