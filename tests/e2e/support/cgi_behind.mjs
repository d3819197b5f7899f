// A server of the CGI kind behind a gate: lighttpd's mod_cgi, which makes HTTP_CONSENTGATE_USER of
// Consentgate-User and of every other spelling of it. It answers with its program's environment.
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { send } from './browser.mjs';
import { Child } from './fronts.mjs';
import { freePort, plainFolder, until } from './server.mjs';

// in:  at   the path that it is asked for
// out: port, stop
export async function startCgiBehind(at) {
  const folder = plainFolder();
  const port = await freePort();
  fs.writeFileSync(path.join(folder, at), '#!/bin/sh\nprintf "Content-Type: text/plain\\r\\n\\r\\n"\ncat >/dev/null\nexec env -0\n', { mode: 0o755 });
  fs.writeFileSync(path.join(folder, 'cgi.conf'), ['server.bind = "127.0.0.1"', `server.port = ${port}`, `server.document-root = "${folder}"`, `server.errorlog = "${folder}/cgi.log"`,
    `server.upload-dirs = ( "${folder}" )`, 'server.max-request-field-size = 131072', 'server.modules = ( "mod_cgi" )', 'cgi.assign = ( "" => "" )', ''].join('\n'));
  const child = new Child('lighttpd', ['-D', '-f', path.join(folder, 'cgi.conf')]);
  await until(() => send(`http://127.0.0.1:${port}`, 'GET', at).then(({ status }) => status === 200, () => false), 'the CGI server');
  return { port, async stop() { await child.stop(); fs.rmSync(folder, { recursive: true, force: true }); } };
}

// The environment out of such an answer.
export const environmentOf = (text) => Object.fromEntries(text.split('\0').filter(Boolean).map((line) => {
  const equals = line.indexOf('=');
  return [line.slice(0, equals), line.slice(equals + 1)];
}));
