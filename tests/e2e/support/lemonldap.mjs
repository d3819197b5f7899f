// LemonLDAP::NG (Debian) on this machine, behind nginx: a portal in Perl, with its demonstration's
// people and groups.
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { Browser } from './browser.mjs';
import { Child } from './fronts.mjs';
import { freePort, plainFolder, until } from './server.mjs';

const portalFiles = '/usr/share/lemonldap-ng/portal';
const asRoot = process.getuid() === 0;
export const keysOf = () => generateKeyPairSync('rsa', { modulusLength: 2048, publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding: { type: 'pkcs8', format: 'pem' } });

class LemonLdap {
  constructor(port, folder) {
    Object.assign(this, { port, folder, issuer: `http://localhost:${port}`, secret: 'lemon-secret', number: 0, clients: {}, rotations: 0, groups: { eng: '$uid eq "dwho"', staff: '1' } });
    this.keys = keysOf();
  }

  async launch() {
    const socket = `${this.folder}/llng.sock`;
    fs.rmSync(socket, { force: true });
    this.portal = new Child('/usr/sbin/llng-fastcgi-server', ['--foreground', '-s', socket, '-p', `${this.folder}/llng.pid`, ...(asRoot ? ['-u', 'www-data', '-g', 'www-data'] : []), '-n', '1'],
      { env: { ...process.env, PERL5LIB: path.join(this.folder, 'perl'), LLNG_DEFAULTCONFFILE: path.join(this.folder, 'lemonldap-ng.ini') } });
    await until(() => { if (this.portal.ended) throw new Error(this.portal.said); return fs.existsSync(socket); }, 'the portal');
  }

  // The portal looks at its configuration now and then; started anew, it has it at once.
  async change() {
    this.write();
    await this.portal.stop();
    await this.launch();
  }

  // The configuration, under the next number.
  write() {
    const clients = Object.entries(this.clients);
    const ofEach = (value) => Object.fromEntries(clients.map(([id, one]) => [id, value(one, id)]));
    this.number += 1;
    const settings = {
      cfgNum: this.number, cfgAuthor: 'test', cfgDate: Math.floor(Date.now() / 1000), cfgVersion: '2.16.1', domain: 'localhost', portal: `${this.issuer}/`, key: 'of-this-test-alone', cookieName: 'lemonldap', securedCookie: 0,
      authentication: 'Demo', userDB: 'Same', passwordDB: 'Demo', registerDB: 'Null', requireToken: 0, captcha: '::Captcha::None', captcha_login_enabled: 0, captcha_mail_enabled: 0, captcha_register_enabled: 0, portalDisplayResetPassword: 0, portalDisplayRegister: 0, portalCheckLogins: 0, timeout: 7200, checkTime: 1, portalForceAuthnInterval: 0, useSafeJail: 0,
      demoExportedVars: { cn: 'cn', mail: 'mail', uid: 'uid' }, exportedVars: {}, macros: { _whatToTrace: '$uid' }, whatToTrace: '_whatToTrace', groups: this.groups, locationRules: {}, exportedHeaders: {},
      globalStorage: 'Apache::Session::File', globalStorageOptions: { Directory: `${this.folder}/sessions`, LockDirectory: `${this.folder}/sessions/lock`, generateModule: 'Lemonldap::NG::Common::Apache::Session::Generate::SHA256' },
      localSessionStorage: 'Cache::FileCache', localSessionStorageOptions: { namespace: 'lemonldap-ng-session', default_expires_in: 600, directory_umask: '007', cache_root: `${this.folder}/cache`, cache_depth: 3 },
      issuerDBOpenIDConnectActivation: 1, issuerDBOpenIDConnectPath: '^/oauth2/', issuerDBOpenIDConnectRule: 1, oidcServiceMetaDataIssuer: this.issuer, oidcServiceAllowAuthorizationCodeFlow: 1,
      oidcServiceMetaDataAuthnContext: { 'loa-1': 1, 'loa-2': 2 }, oidcServicePrivateKeySig: this.keys.privateKey, oidcServicePublicKeySig: this.keys.publicKey, oidcServiceKeyIdSig: `key-${this.rotations}`,
      oidcRPMetaDataExportedVars: ofEach(() => ({ name: 'cn', email: 'mail', groups: 'groups;string;always' })), oidcRPMetaDataOptionsExtraClaims: ofEach(() => ({ groups: 'groups' })), oidcRPMetaDataMacros: ofEach(() => ({})),
      oidcRPMetaDataOptions: ofEach((one) => ({ oidcRPMetaDataOptionsClientID: one.client, oidcRPMetaDataOptionsClientSecret: this.secret, oidcRPMetaDataOptionsRedirectUris: one.redirect, oidcRPMetaDataOptionsIDTokenSignAlg: 'RS256',
        oidcRPMetaDataOptionsBypassConsent: 1, oidcRPMetaDataOptionsRequirePKCE: 1, oidcRPMetaDataOptionsUserIDAttr: 'uid', oidcRPMetaDataOptionsIDTokenExpiration: 600, oidcRPMetaDataOptionsAccessTokenExpiration: 600,
        oidcRPMetaDataOptionsIDTokenForceClaims: 0, oidcRPMetaDataOptionsPostLogoutRedirectUris: one.after, oidcRPMetaDataOptionsRule: this.rule ?? '1' })),
    };
    fs.writeFileSync(path.join(this.folder, 'conf', `lmConf-${this.number}.json`), JSON.stringify(settings));
    if (asRoot) execFileSync('chown', ['-R', 'www-data', path.join(this.folder, 'conf')]);
  }

  async admit(server, id) {
    const name = `rp${Object.keys(this.clients).length}`;
    this.clients[name] = { client: `consentgate-${name}`, redirect: `${server.issuer}/oauth/signin/${id}/callback`, after: `${server.issuer}/oauth/sessions` };
    await this.change();
    return this.clients[name].client;
  }

  // Signs with other keys from now on.
  async rotate() { this.rotations += 1; this.keys = keysOf(); await this.change(); }

  // Nobody of that name may use our client from now on. in: user  undefined: all may
  async shut(user) { this.rule = user ? `$uid ne "${user}"` : '1'; await this.change(); }

  async stop() { await this.front.stop(); await this.portal.stop(); }
}

const fieldsOf = (page) => Object.fromEntries([...page.matchAll(/<input[^>]*>/g)].map(([tag]) => [/name="([^"]*)"/.exec(tag)?.[1], /value="([^"]*)"/.exec(tag)?.[1] ?? '']).filter(([name]) => name));

// A browser's cookies at the portal.
export class AtLemonldap {
  constructor(portal) { this.portal = portal; this.browser = new Browser(portal.issuer); this.typed = 0; }

  // The steps of a person there, who types name and password where they are asked.
  // out: our callback's path and query
  async signIn(location, user) {
    let address = new URL(location);
    let form;
    for (let step = 0; step < 12; step += 1) {
      const target = address.pathname + address.search;
      const answer = form ? await this.browser.post(target, form) : await this.browser.get(target);
      form = undefined;
      if (answer.location) {
        address = new URL(answer.location, address);
        if (address.origin !== this.portal.issuer) return address.pathname + address.search;
        continue;
      }
      const [shown, action] = /<form[^>]*action="([^"]*)"[^]*?<\/form>/.exec(answer.text) ?? [];
      if (!shown) throw new Error(`the portal answered ${answer.status}: ${answer.text.replace(/<script[^]*?<\/script>|<[^>]+>|\s+/g, ' ').slice(0, 600)}`);
      if (action !== '#') address = new URL(action, address);
      const asksName = shown.includes('name="password"');
      if (asksName) this.typed += 1;
      if (this.typed > 10) throw new Error('the portal does not take the password');
      form = { ...fieldsOf(shown), ...(asksName ? { user, password: user } : {}) };
    }
    throw new Error('the portal sends a person in circles');
  }
}

export async function startLemonldap() {
  const folder = plainFolder();
  const one = new LemonLdap(await freePort(), folder);
  for (const name of ['conf', 'sessions', 'sessions/lock', 'cache']) fs.mkdirSync(path.join(folder, name));
  one.write();
  // The module that draws pictures against robots needs ImageMagick, also where no page has one.
  fs.mkdirSync(path.join(folder, 'perl/Lemonldap/NG/Portal/Captcha'), { recursive: true });
  fs.writeFileSync(path.join(folder, 'perl/Lemonldap/NG/Portal/Captcha/None.pm'), "package Lemonldap::NG::Portal::Captcha::None;\nuse strict;\nuse Mouse;\nextends 'Lemonldap::NG::Portal::Main::Plugin';\nsub init { 1 }\n1;\n");
  fs.writeFileSync(path.join(folder, 'lemonldap-ng.ini'), ['[all]', 'logLevel = warn', 'logger = Lemonldap::NG::Common::Logger::Std', 'userLogger = Lemonldap::NG::Common::Logger::Std', 'checkTime = 1', '[configuration]', 'type=File', `dirName = ${folder}/conf`, 'localStorage=Cache::FileCache',
    `localStorageOptions={ 'namespace' => 'config', 'default_expires_in' => 1, 'directory_umask' => '007', 'cache_root' => '${folder}/cache', 'cache_depth' => 3, }`,
    '[portal]', 'staticPrefix = /static', `templateDir = ${portalFiles}/templates`, 'languages = en', 'checkTime = 1', ''].join('\n'));
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/temp_${name};`);
  fs.writeFileSync(path.join(folder, 'front.conf'), ['daemon off;', asRoot ? 'user www-data;' : '', `pid ${folder}/nginx.pid;`, `error_log ${folder}/front.log;`, 'events {}', 'http {', 'access_log off;', ...temp, 'server {', `listen 127.0.0.1:${one.port};`,
    'location / {', 'include /etc/nginx/fastcgi_params;', `fastcgi_pass unix:${folder}/llng.sock;`, 'fastcgi_param LLTYPE psgi;', `fastcgi_param SCRIPT_FILENAME ${portalFiles}/htdocs/index.psgi;`, `fastcgi_param HTTP_HOST localhost:${one.port};`,
    'fastcgi_param SCRIPT_NAME "";', 'fastcgi_param PATH_INFO $uri;', '}', '}', '}', ''].join('\n'));
  if (asRoot) execFileSync('chown', ['-R', 'www-data', folder]);
  fs.chmodSync(folder, 0o711);
  await one.launch();
  one.front = new Child('nginx', ['-p', folder, '-c', path.join(folder, 'front.conf'), '-e', path.join(folder, 'front.log')]);
  await until(() => fetch(`${one.issuer}/.well-known/openid-configuration`).then((answer) => answer.ok, () => false), 'LemonLDAP::NG');
  return one;
}
