// consentgate and its gate behind each web server, set up by the files in conf/ as shipped.
// This file writes only what an administrator writes: a virtual host, and the MCP server's address.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { send } from './browser.mjs';
import { freePort, keptLog, plainFolder, root, startServer, until, waitFor } from './server.mjs';

const build = process.env.BUILD || 'build/asan';
const conf = (name) => path.join(root, 'conf', name);
const uncomment = (text, title) => text.replace(new RegExp(`^# ${title}[^]*?(\\n\\n|(?![^]))`, 'm'), (section) => section.replace(/^#(?=\S|    )/gm, ''));
// A file of conf/, with the lines that an administrator writes otherwise.
// in: users  a file of names and passwords: the lines for verified users
//     short  the lines for short addresses
//     old    the file is from before the facts about people
const shipped = (name, { users, short, old } = {}) => {
  let text = fs.readFileSync(conf(name), 'utf8');
  if (old) text = asBefore(text);
  if (users) text = (name.endsWith('.htaccess') ? uncomment(text, 'Verified users') : text).replace(/\/etc\/\w+\/consentgate\.users/, users).replace('/home/anna/consentgate/users', users);
  return short && name.endsWith('.htaccess') ? uncomment(text, 'Short addresses') : text;
};
// The file as it was before the facts about people: without the lines that name them.
const namesNewFacts = /Consentgate(.|\$\{?\w+)?(Email|Groups|Provider|Assertion)|CONSENTGATE_(EMAIL|GROUPS|PROVIDER|ASSERTION|HIDES_FACTS)|consentgate_(email|groups|omitted|provider|assertion)|ConsentgateHeader (Email|Groups|Provider|Assertion)|Use ConsentgateMixtures/;
export const asBefore = (text) => text.replace(/<Macro ConsentgateMixtures[^]*?<\/Macro>\n/, '').split('\n').filter((line) => !namesNewFacts.test(line)).join('\n')
  .replace(', "Email", "Groups", "Groups-Omitted", "Provider", "Assertion"', '');
// README and docs/gate.md, which these tests follow line by line: the first line that begins so.
const guide = ['README.md', 'docs/gate.md'].map((name) => fs.readFileSync(path.join(root, name), 'utf8')).join('\n');
const said = (beginning) => {
  const line = guide.split('\n').find((one) => `${one}\n`.startsWith(beginning));
  if (!line) throw new Error(`neither README.md nor docs/gate.md has a line that begins with ${beginning}`);
  return line.trim();
};
// The lines that `service show` prints for a web server.
const shownFor = (front, lines) => lines.filter((line) => line.startsWith(`${front}: `)).map((line) => `${line.slice(front.length + 2)}\n`).join('');
// The log of calls, piped to the program that a test has built, which writes to the socket of its
// own gate.
const piped = (text, folder) => text.replace('/usr/bin/consentgate-admin call-log', `${path.resolve(root, build, 'consentgate-admin')} call-log --socket ${folder}/calls.sock`);
// in: guards  one of them may name the authority of a server behind TLS
const authorities = (guards) => guards.find((guard) => guard.ca)?.ca ?? '/etc/ssl/certs/ca-certificates.crt';
// A line that a command of the guide writes.
const saidIn = (line) => {
  if (!guide.includes(`'${line}'`)) throw new Error(`no command of README.md or docs/gate.md writes ${line}`);
  return line;
};
// The lines from one that begins so to its closing bracket.
const saidBlock = (beginning) => {
  const lines = guide.split('\n');
  const first = lines.findIndex((one) => one.trim().startsWith(beginning));
  return lines.slice(first, lines.findIndex((one, index) => index > first && /^\s*}$/.test(one)) + 1).join('\n');
};
const words = (beginning) => said(beginning).slice(beginning.length).trim().split(' ');
const asRoot = process.getuid() === 0;
const started = new Set();
process.on('exit', () => { for (const child of started) try { process.kill(child.pid, 'SIGTERM'); } catch { /* already gone */ } });

export class Child {
  constructor(command, args, options = {}) {
    this.process = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    this.said = '';
    for (const stream of [this.process.stdout, this.process.stderr]) stream.on('data', (bytes) => { this.said = keptLog(this.said + bytes); });
    started.add(this.process);
    waitFor(this.process, false);
  }

  get pid() { return this.process.pid; }
  get ended() { return this.process.exitCode !== null || this.process.signalCode !== null; }

  async stop(signal = 'SIGTERM') {
    waitFor(this.process, true);
    if (!this.ended) { this.process.kill(signal); await once(this.process, 'exit'); }
    started.delete(this.process);
  }
}

// Started by root, a web server works as www-data, which must reach the sockets.
function openFor(folder, sockets) {
  if (!asRoot) return;
  fs.chmodSync(folder, 0o711);
  for (const socket of sockets) fs.chmodSync(path.join(folder, socket), 0o666);
}

// The folder of files that lighttpd includes.
export function copyLighttpdFiles(folder, wanted) {
  const files = path.join(folder, 'lighttpd');
  fs.mkdirSync(files);
  for (const name of fs.readdirSync(conf('lighttpd'))) {
    fs.writeFileSync(path.join(files, name), piped(shipped(`lighttpd/${name}`, wanted).replace('/run/consentgate', folder).replace('/run/consentgate', folder).replaceAll('/usr/share/consentgate/conf/lighttpd', files), folder));
  }
  return (line) => line.replace('/usr/share/consentgate/conf/lighttpd', files);
}

const lighttpd = {
  name: 'lighttpd',
  socket: 'gate.sock',
  write(folder, port, guards, gatePort, environment, wanted) {
    const here = copyLighttpdFiles(folder, wanted);
    const block = saidBlock('$HTTP["url"] =~ "^/mcp');
    const blocks = guards.map(({ at, port: behind }) => here(block).replace('^/mcp(/|$)', `^${at}(/|$)`).replace('3001', String(behind)));
    const pages = here(said('include "/usr/share/consentgate/conf/lighttpd/pages.conf'));
    const more = [...(wanted?.users ? ['verified_users'] : []), ...(wanted?.short ? ['short'] : []), 'monitor'].map((name) => pages.replace('pages', name));
    fs.writeFileSync(path.join(folder, 'front.conf'), [`server.port = ${port}`, 'server.bind = "127.0.0.1"', `server.document-root = "${folder}"`, `server.errorlog = "${folder}/front.log"`,
      `server.upload-dirs = ( "${folder}" )`, here(saidIn('include "/usr/share/consentgate/conf/lighttpd/modules.conf"')), pages, ...more, ...blocks, ''].join('\n'));
  },
  start: (folder) => new Child('lighttpd', ['-D', '-f', path.join(folder, 'front.conf')]),
};

// The lines for verified users that stand in pages.conf as a comment.
export const signedInByApache = (users) => /#   (<LocationMatch "\$\{consentgate_people\}">[^]*?<\/LocationMatch>)/.exec(fs.readFileSync(conf('apache/pages.conf'), 'utf8'))[1].replaceAll('#   ', '    ').replace('/etc/apache2/consentgate.users', users);

// Debian's own tree, with a site that is there already.
const apache = {
  name: 'Apache',
  socket: 'tcp',
  write(folder, port, guards, gatePort, environment, wanted) {
    const tree = path.join(folder, 'apache2');
    fs.cpSync('/etc/apache2', tree, { recursive: true, verbatimSymlinks: true });
    for (const name of ['run', 'lock', 'log']) fs.mkdirSync(path.join(folder, name));
    fs.writeFileSync(path.join(tree, 'ports.conf'), `Listen 127.0.0.1:${port}\n`);
    fs.appendFileSync(path.join(tree, 'envvars'), `export APACHE_PID_FILE=${folder}/run/apache2.pid APACHE_RUN_DIR=${folder}/run APACHE_LOCK_DIR=${folder}/lock APACHE_LOG_DIR=${folder}/log\n`);
    fs.writeFileSync(path.join(tree, 'conf-available/consentgate.conf'), shipped('apache/pages.conf').replace('/run/consentgate/consentgate.sock', `${folder}/consentgate.sock`));
    fs.writeFileSync(path.join(tree, 'conf-available/consentgate-gate.conf'), piped(shipped('apache/gate.conf', { old: wanted?.old }), folder).replace('127.0.0.1:9008', `127.0.0.1:${gatePort}`).replace('/etc/ssl/certs/ca-certificates.crt', authorities(guards)));
    const site = path.join(tree, 'sites-available/000-default.conf');
    const pages = wanted?.users ? ['Use ConsentgateVerifiedUsers', signedInByApache(wanted.users)] : [said('Use Consentgate\n').trim()];
    const top = [...pages, ...(wanted?.short ? ['Use ConsentgateShortAddresses'] : [])].map((line) => `    ${line}\n`).join('');
    const uses = guards.map(({ at, port: behind, to, lines = [] }) => `    ${said('Use ConsentgateProtect').replace(/ \/.*/, ` ${at} ${to ?? `http://127.0.0.1:${behind}${at}`}`)}\n${shownFor('Apache', lines)}`).join('');
    fs.writeFileSync(site, fs.readFileSync(site, 'utf8').replace('*:80>\n', `*:${port}>\n${top}${uses}    ServerName 127.0.0.1\n`));
    const enable = (program, ...names) => execFileSync(program, ['-q', ...names], { env: { ...process.env, APACHE_CONFDIR: tree }, stdio: ['ignore', 'pipe', 'pipe'] });
    enable('a2enmod', ...words('a2enmod'), ...(guards.some(({ to }) => to?.startsWith('https:')) ? ['ssl'] : []));
    enable('a2enconf', ...words('a2enconf'));
  },
  // As apache2ctl does it, which stays in between and keeps signals to itself.
  start: (folder) => new Child('bash', ['-c', '. ./envvars && exec apache2 -d "$APACHE_CONFDIR" -D FOREGROUND'], { cwd: path.join(folder, 'apache2'), env: { ...process.env, APACHE_CONFDIR: path.join(folder, 'apache2') } }),
};

const nginx = {
  name: 'nginx',
  socket: 'gate.sock',
  write(folder, port, guards, gatePort, environment, wanted) {
    fs.mkdirSync(path.join(folder, 'consentgate'));
    for (const name of fs.readdirSync(conf('nginx'))) {
      const text = shipped(`nginx/${name}`, wanted);
      fs.writeFileSync(path.join(folder, 'consentgate', name), text.replaceAll('/run/consentgate/', `${folder}/`).replace('/var/log/nginx/', `${folder}/`).replace('/etc/ssl/certs/ca-certificates.crt', authorities(guards)));
    }
    const blocks = guards.map(({ at, port: behind, to, lines = [] }) => said('location ^~ /mcp').replace('/mcp', at).replace('http://127.0.0.1:3001', to ?? `http://127.0.0.1:${behind}`).replace(/}$/, `${shownFor('nginx', lines)}}`));
    const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/temp_${name};`);
    fs.writeFileSync(path.join(folder, 'front.conf'), ['daemon off;', asRoot ? 'user www-data;' : '', `pid ${folder}/nginx.pid;`, `error_log ${folder}/front.log;`, 'events { worker_connections 512; }',
      'http {', 'access_log off;', ...temp, said('include consentgate/http.conf'), 'server {', `listen 127.0.0.1:${port};`, said('include consentgate/pages.conf').replace('pages', wanted?.users ? 'verified_users' : 'pages'), wanted?.short ? 'include consentgate/short.conf;' : '', said('include consentgate/gate.conf'), ...blocks, '}', '}', ''].join('\n'));
  },
  start: (folder) => new Child('nginx', ['-p', folder, '-c', path.join(folder, 'front.conf'), '-e', path.join(folder, 'front.log')]),
};

// Apache as a hoster runs it: only .htaccess files and wrappers, which mod_fcgid starts and ends.
const sharedHosting = {
  name: 'Apache on shared hosting',
  socket: 'none',
  write(folder, port, guards, gatePort, environment, wanted) {
    const site = path.join(folder, 'site');
    for (const name of ['ipc', 'site']) fs.mkdirSync(path.join(folder, name));
    const home = (text) => text.replaceAll('/home/anna/consentgate/consentgate.conf', `${folder}/consentgate.conf`).replaceAll('/home/anna/consentgate/consentgate', path.resolve(root, build, 'consentgate'))
      .replaceAll('/home/anna/consentgate', folder);
    // mod_fcgid hands on none of a hoster's environment; in a test a few settings are there.
    const settings = Object.entries(environment).filter(([name]) => /^(CONSENTGATE_|ASAN_|UBSAN_)/.test(name) && !/_(WORKERS|CONFIG)$/.test(name)).map(([name, value]) => `export ${name}='${value}'\n`).join('');
    const script = (name) => home(shipped(`shared-hosting/${name}`)).replace('exec ', `${settings}export CONSENTGATE_WORKERS=1 CONSENTGATE_GATE_WORKERS=1\nexec `);
    fs.writeFileSync(path.join(site, 'pages.fcgi'), script('pages.fcgi'), { mode: 0o755 });
    fs.writeFileSync(path.join(folder, 'gate.fcgi'), script('gate.fcgi'), { mode: 0o755 });
    fs.writeFileSync(path.join(site, '.htaccess'), shipped('shared-hosting/pages.htaccess', wanted));
    for (const { at, port: behind, lines = [] } of guards) {
      fs.mkdirSync(path.join(site, at), { recursive: true });
      fs.writeFileSync(path.join(site, at, '.htaccess'), home(shipped('shared-hosting/gate.htaccess', { old: wanted?.old })).replace('127.0.0.1:3001', `127.0.0.1:${behind}`) + shownFor('shared hosting', lines));
    }
    const modules = ['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'mime', 'rewrite', 'headers', 'setenvif', 'proxy', 'proxy_http', 'fcgid', ...(wanted?.users ? ['auth_basic', 'authn_file'] : [])].map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`);
    fs.writeFileSync(path.join(folder, 'front.conf'), [`ServerRoot "${folder}"`, 'ServerName 127.0.0.1', `Listen 127.0.0.1:${port}`, `PidFile "${folder}/front.pid"`, `ErrorLog "${folder}/front.log"`, ...modules,
      'TypesConfig /etc/mime.types', ...(asRoot ? ['User www-data', 'Group www-data'] : []), `FcgidIPCDir "${folder}/ipc"`, `FcgidProcessTableFile "${folder}/fcgid.shm"`, `DocumentRoot "${site}"`,
      `<Directory "${site}">`, 'AllowOverride FileInfo AuthConfig Options Limit', 'Require all granted', '</Directory>', ''].join('\n'));
    if (asRoot) execFileSync('chown', ['-R', 'www-data', folder]);
  },
  start: (folder) => new Child('apache2', ['-D', 'FOREGROUND', '-f', path.join(folder, 'front.conf')]),
};

export const fronts = [lighttpd, apache, nginx, sharedHosting];

// in:  front    one of the above
//      guards   [{ at: '/mcp', port, scopes, service, words }]: the servers behind; words: more
//               options of `resource add`
//      resources  of the configuration; the guards' addresses are added by `resource add`
// out: what the journey calls a server; `gate` is the gate's process
//      prepare  with the server, before the guards are added
//      users    lines of names and passwords, as htpasswd writes them: the web server then
//               authenticates people
//      short    the short addresses are mounted
//      old      the web server's files are from before the facts about people
//      issuerPath  ends the issuer
export async function startFront(front, { guards, env = {}, workers = 2, prepare, users, short = false, old = false, issuerPath = '' }) {
  const folder = plainFolder();
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const gatePort = await freePort();
  const server = await startServer({ folder, workers, env: { PROTECT: 'no', CONSENTGATE_ISSUER: `${base}${issuerPath}`, CONSENTGATE_RESOURCES: `${base}${guards[0].at}`, ...env } });
  Object.assign(server, { base, issuer: `${base}${issuerPath}`, resource: `${base}${guards[0].at}`, front });
  await prepare?.(server);
  for (const { at, service, scopes, words: more } of guards) {
    if (service || scopes || more || at !== guards[0].at) {
      await server.admin('resource', 'add', `${base}${at}`, ...(service ? ['--service', service] : []), ...(scopes ? ['--scopes', scopes] : []), ...(more ?? []));
    }
  }
  for (const guard of guards) {
    if (guard.service) guard.lines = (await server.admin('service', 'show', guard.service, '--json')).gate_lines ?? [];
  }
  process.kill(server.masterPid(), 'SIGHUP');
  await until(() => /event=reloaded/.test(server.logs()), 'the reload');
  server.startGate = () => {
    if (front.socket === 'none') return undefined; // the web server starts it
    fs.rmSync(path.join(folder, 'gate.sock'), { force: true });
    const where = front.socket === 'tcp' ? ['-a', '127.0.0.1', '-p', String(gatePort)] : ['-s', 'gate.sock', '-M', '0660'];
    server.gate = new Child('spawn-fcgi', ['-n', ...where, '--', path.resolve(root, build, 'consentgate'), '--gate'], { cwd: folder, env: server.environment() });
    return until(() => { if (server.gate.ended) throw new Error(`the gate ended: ${server.gate.said}`); return /event=started/.test(server.gate.said); }, 'the gate to start');
  };
  await server.startGate();
  openFor(folder, ['consentgate.sock', ...(front.socket === 'gate.sock' ? ['gate.sock'] : [])]);
  const file = users && path.join(folder, 'users');
  if (users) fs.writeFileSync(file, users, { mode: 0o644 });
  front.write(folder, port, guards, gatePort, server.environment(), { users: file, short, old });
  server.startWeb = async () => {
    server.web = front.start(folder);
    await until(async () => {
      if (server.web.ended) throw new Error(`${front.name} ended: ${server.web.said}`);
      return send(base, 'GET', `/.well-known/oauth-authorization-server${issuerPath}`).then(({ status }) => status === 200, () => false);
    }, `${front.name} to answer`);
  };
  await server.startWeb();
  const stopServer = server.stop.bind(server);
  server.stop = async () => {
    await server.web.stop();
    await server.gate?.stop();
    server.output += server.gate?.said ?? '';
    await stopServer();
    fs.rmSync(folder, { recursive: true, force: true });
  };
  return server;
}
