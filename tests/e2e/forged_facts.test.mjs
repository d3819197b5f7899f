// A caller tries whatever a server behind could take for the gate's word, before two kinds of
// servers: one that reads names as they are (Node), and one of the CGI kind. The test's output has
// the table of all attempts.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { askRaw } from './support/browser.mjs';
import { environmentOf, startCgiBehind } from './support/cgi_behind.mjs';
import { fronts, startFront } from './support/fronts.mjs';
import { journey } from './support/journey.mjs';
import { startServerBehind } from './support/mcp_behind.mjs';

const options = { timeout: 240000 };
const facts = ['Subject', 'User', 'Identity', 'Client', 'Scope', 'Session'];
// Names that files of before do not know: the gate refuses a caller who brings one.
const newFacts = ['Email', 'Groups', 'Groups-Omitted', 'Provider', 'Assertion'];
const signs = [...'!#$%&\'*+-.^_`|~'];
const names = (sign) => facts.map((fact) => `Consentgate${sign}${fact}`);
const lines = (list) => list.map((name) => `${name}: mallory`);
const newNames = (sign) => newFacts.map((fact) => `Consentgate${sign}${fact}`);
const listed = [...names('-'), ...newNames('-')].join(', ');

// Each attempt: its name, the lines of the head, and what else is odd about it.
const attempts = [
  ...signs.map((sign) => [`names with ${sign}`, lines(names(sign))]),
  ...signs.map((sign) => [sign === '-' ? 'new facts' : `new names with ${sign}`, lines(newNames(sign))]),
  ...newNames('-').map((name) => [`new fact ${name}`, [`${name.toLowerCase()}: mallory`]]),
  ...signs.filter((sign) => sign !== '-').map((sign) => [`new names with a second ${sign}`, lines([`Consentgate-Groups${sign}Omitted`, `Consentgate${sign}Groups${sign}Omitted`])]),
  ['names in capitals', lines(names('-').map((name) => name.toUpperCase()))],
  ['names with _ in capitals', lines(names('_').map((name) => name.toUpperCase()))],
  ['each name twice', [...lines(names('-')), ...lines(names('-'))]],
  ['all signs at once', signs.flatMap((sign) => lines(names(sign)))],
  ['a blank before the colon', lines(names('-').map((name) => `${name} `))],
  ['a folded line', names('-').map((name) => `${name}:\r\n mallory`)],
  ['names with two signs', facts.flatMap((fact) => lines([`Consentgate--${fact}`, `Consentgate_-${fact}`]))],
  ['an upper half of Latin-1', facts.map((fact) => `Consentgate\xad${fact}: mallory`)],
  ...[
    ['a list', `Connection: close, ${listed}`],
    ['a list without close', `Connection: ${listed}`],
    ['a list with blanks', `Connection: close ${names('-').join(' ')}`],
    ['a list with semicolons', `Connection: close;${names('-').join(';')}`],
    ['a quoted list', `Connection: ${names('-').map((name) => `"${name}"`).join(',')}`],
    ['a list in small letters', `Connection: keep-alive,${listed.toLowerCase()}`],
    ['two lines', `Connection: close\r\nConnection: ${listed}`],
    ['a line of its own for each', names('-').map((name) => `Connection: ${name}`).join('\r\n')],
    ['Proxy-Connection', `Proxy-Connection: ${listed}`],
    ['Keep-Alive and TE', `Connection: keep-alive, TE, ${listed}\r\nTE: trailers\r\nKeep-Alive: 5`],
    ['Upgrade', `Connection: Upgrade, ${listed}\r\nUpgrade: websocket`],
  ].map(([what, head]) => [`Connection: ${what}`, [head]]),
  ['Connection and other spellings', [`Connection: close, ${listed}`, ...signs.flatMap((sign) => lines(names(sign)))]],
  ['absolute form', lines(names('-')), { absolute: true }],
  ['absolute form, another Host', [`Connection: ${listed}`, ...lines(names('_'))], { absolute: true, host: 'evil.example' }],
  ['trailers', ['Transfer-Encoding: chunked', `Trailer: ${listed}`], { body: `2\r\n{}\r\n0\r\n${lines(names('-')).join('\r\n')}\r\n\r\n` }],
];

let node;
let cgi;
before(async () => { node = await startServerBehind(); cgi = await startCgiBehind('/cgi'); }, options);
after(async () => { await node?.stop(); await cgi?.stop(); });

// Collects what a server behind received under names that are ours when other signs count as _.
const folded = (name) => name.toUpperCase().replace(/[^0-9A-Z]/g, '_');
const ours = new Set([...names('_'), ...newNames('_')].map(folded));
function received(pairs) {
  const found = {};
  for (const [name, value] of pairs) if (ours.has(folded(name))) (found[folded(name)] ??= []).push(value);
  return found;
}

async function attempt(server, token, path, [, head, { absolute, host, body } = {}]) {
  const authority = new URL(server.base).host;
  const all = [`POST ${absolute ? server.base : ''}${path} HTTP/1.1`, `Host: ${host ?? authority}`, `Authorization: Bearer ${token}`, 'Content-Type: application/json', ...(body ? [] : ['Content-Length: 2']), ...head, '', ''];
  const before = node.seen.length;
  const { status, body: said } = await askRaw(server.base, Buffer.from(`${all.join('\r\n')}${body ?? '{}'}`, 'latin1'));
  if (status !== 200) return { status, reached: node.seen.length > before };
  if (path === '/mcp') {
    const { rawHeaders } = node.last();
    return { status, reached: true, found: received(rawHeaders.flatMap((name, at) => (at % 2 ? [] : [[name, rawHeaders[at + 1]]]))) };
  }
  return { status, reached: true, found: received(Object.entries(environmentOf(said)).filter(([name]) => name.startsWith('HTTP_')).map(([name, value]) => [name.slice(5), value])) };
}

// Requests that are valid HTTP must pass; lighttpd refuses an absolute form whose host is not Host.
const isHarmless = ([what, , { host } = {}], front) => /names|list|line|absolute|trailers/.test(what) && !/folded/.test(what) && !(host && front.name === 'lighttpd');

for (const front of fronts) {
  test(`XB1 XB2 XB7: behind ${front.name} nothing of a caller's arrives under a name of the gate's`, options, async (context) => {
    const server = await startFront(front, { guards: [{ at: '/mcp', port: node.port }, { at: '/cgi', port: cgi.port }] });
    try {
      const signIn = (at, identity) => journey(server, { identity, more: { resource: `${server.base}${at}` } });
      const bad = [];
      const alwaysAll = front.name !== 'nginx';
      for (const [path, kind] of [['/mcp', 'Node'], ['/cgi', 'CGI']]) {
        const person = await signIn(path, { userId: 'ada' });
        const nobody = await signIn(path, { skip: true });
        for (const [who, { token, client }] of [['ada', person], ['nobody', nobody]]) {
          const plain = await attempt(server, token, path, ['as it should be', []]);
          assert.equal(plain.status, 200, `${kind} ${who}`);
          assert.deepEqual(plain.found.CONSENTGATE_CLIENT, [client.client_id]);
          assert.deepEqual(plain.found.CONSENTGATE_USER ?? [''], [who === 'ada' ? 'ada' : '']);
          assert.deepEqual(Object.keys(plain.found).length, alwaysAll && kind === 'Node' ? facts.length + newFacts.length : who === 'ada' ? 6 : 5, JSON.stringify(plain.found));
          for (const one of attempts) {
            const got = await attempt(server, token, path, one);
            const what = `${front.name}, ${kind}, ${who}: ${one[0]}`;
            const good = got.status === 200 ? JSON.stringify(got.found) === JSON.stringify(plain.found) : got.status >= 400 && got.status < 500 && !got.reached;
            if (/^new fact/.test(one[0])) assert.ok([400, 401].includes(got.status), what);
            if (isHarmless(one, front)) assert.equal(got.status, 200, what);
            context.diagnostic(`${good ? 'ok ' : 'BAD'} | ${what} | ${got.status} | ${got.status === 200 ? (good ? 'the gate\'s facts alone' : JSON.stringify(got.found)) : 'refused'}`);
            if (!good) bad.push(what);
          }
        }
      }
      assert.deepEqual(bad, []);
      const published = `${server.base}/.well-known/oauth-authorization-server`;
      assert.equal((await askRaw(server.base, `GET ${published} HTTP/1.1\r\nHost: ${new URL(server.base).host}\r\n\r\n`)).status, 200, 'the pages take an absolute form, too');
    } finally { await server.stop(); }
  });
}
