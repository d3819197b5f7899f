// Apache with mod_auth_openidc (Debian): another program that signs people in at a provider.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Child } from './fronts.mjs';
import { freePort, plainFolder, until } from './server.mjs';

const asRoot = process.getuid() === 0;
const modulesOf = (names) => names.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`);

// in:  issuer     of a provider with metadata; client, secret  ours there
//      port       where it listens; a free one when absent. Its redirect address is redirect(port)
//      settings   more lines of mod_auth_openidc, which outweigh those here
//      modules, lines  of Apache: what is served, beside a page below /private/ that wants a person
// out: base, redirect, log (all that Apache said), stop
export const redirect = (port) => `http://127.0.0.1:${port}/private/redirect`;
export async function startModAuthOpenidc({ issuer, client, secret, port, settings = [], modules = [], lines = [] }) {
  const listening = port ?? await freePort();
  const folder = plainFolder('openidc');
  const site = path.join(folder, 'site');
  fs.mkdirSync(path.join(site, 'private'), { recursive: true });
  fs.writeFileSync(path.join(site, 'private/page.txt'), 'for people who signed in\n');
  fs.writeFileSync(path.join(folder, 'front.conf'), [`ServerRoot "${folder}"`, 'ServerName 127.0.0.1', `Listen 127.0.0.1:${listening}`, `PidFile "${folder}/front.pid"`, `ErrorLog "${folder}/front.log"`,
    ...modulesOf(['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'mime', 'auth_openidc', ...modules]), 'TypesConfig /etc/mime.types', 'LogLevel auth_openidc:warn', ...(asRoot ? ['User www-data', 'Group www-data'] : []),
    `OIDCProviderMetadataURL ${issuer}/.well-known/openid-configuration`, `OIDCClientID "${client}"`, `OIDCClientSecret "${secret}"`, `OIDCRedirectURI ${redirect(listening)}`, 'OIDCCryptoPassphrase of-this-test-alone',
    'OIDCScope "openid email profile groups"', 'OIDCPKCEMethod S256', 'OIDCSSLValidateServer Off', 'OIDCSessionType client-cookie', 'OIDCCacheType shm', ...settings,
    `DocumentRoot "${site}"`, `<Directory "${site}">`, 'Require all granted', '</Directory>', '<Location /private/>', 'AuthType openid-connect', 'Require valid-user', '</Location>', ...lines, ''].join('\n'));
  if (asRoot) execFileSync('chown', ['-R', 'www-data', folder]);
  const child = new Child('apache2', ['-D', 'FOREGROUND', '-f', path.join(folder, 'front.conf')]);
  const base = `http://127.0.0.1:${listening}`;
  await until(async () => {
    if (child.ended) throw new Error(`Apache ended: ${child.said}`);
    return fetch(`${base}/`, { redirect: 'manual' }).then(() => true, () => false);
  }, 'Apache with mod_auth_openidc');
  const log = () => fs.readFileSync(path.join(folder, 'front.log'), 'utf8');
  return { base, folder, redirect: redirect(listening), log, stop: () => child.stop() };
}
