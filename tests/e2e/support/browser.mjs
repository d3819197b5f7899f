// A small HTTP client for tests: no redirects followed, every byte under control, one cookie jar
// per Browser.
import http from 'node:http';
import net from 'node:net';

export const htmlAccept = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

// pairs: an object or a list of [name, value]; a list can repeat a name.
export function form(pairs) {
  const list = Array.isArray(pairs) ? pairs : Object.entries(pairs).filter(([, value]) => value !== undefined);
  return list.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&');
}

export function query(path, pairs) {
  const text = form(pairs);
  return text ? `${path}?${text}` : path;
}

class Answer {
  constructor(message, bytes) {
    this.status = message.statusCode;
    this.headers = message.headers;
    this.rawHeaders = message.rawHeaders;
    this.bytes = bytes;
    this.text = bytes.toString('utf8');
    this.location = message.headers.location;
  }

  json() { return JSON.parse(this.text); }

  // The parameters of the Location, decoded as a query string is.
  sent() { return new URL(this.location, 'http://relative.invalid').searchParams; }
}

// One request. base: 'http://127.0.0.1:8080'; target goes out as it is.
export function send(base, method, target, { headers = {}, body } = {}) {
  const { hostname, port } = new URL(base);
  const payload = body === undefined ? undefined : Buffer.from(body);
  return new Promise((done, fail) => {
    const request = http.request({ hostname, port, method, path: target, agent: false,
      headers: { ...(payload ? { 'Content-Length': payload.length } : {}), ...headers } }, (message) => {
      const parts = [];
      message.on('data', (part) => parts.push(part));
      message.on('end', () => done(new Answer(message, Buffer.concat(parts))));
      message.on('error', fail);
    });
    request.on('error', fail);
    request.end(payload);
  });
}

// Bytes as they are on a socket of their own; gives all that came back until the server closed or
// fell silent.
export function sendRaw(base, bytes, { close = false, silence = 3000 } = {}) {
  const { hostname, port } = new URL(base);
  return new Promise((done) => {
    const socket = net.connect(Number(port), hostname);
    let text = '';
    socket.setTimeout(silence, () => socket.destroy());
    socket.on('connect', () => { socket.write(bytes); if (close) socket.end(); });
    socket.on('data', (part) => { text += part.toString('latin1'); });
    socket.on('error', () => {});
    socket.on('close', () => done(text));
  });
}

// One answer to bytes as they are: returns as soon as all of it is there. out: status, head, body;
// status 0: none came
export function askRaw(base, bytes, silence = 10000) {
  const { hostname, port } = new URL(base);
  return new Promise((done) => {
    const socket = net.connect(Number(port), hostname, () => socket.write(bytes));
    let text = '';
    const answer = () => {
      const [head, ...rest] = text.split('\r\n\r\n');
      const body = rest.join('\r\n\r\n');
      const length = /^content-length: *(\d+)/im.exec(head)?.[1];
      const chunked = /^transfer-encoding: *chunked/im.test(head);
      const whole = rest.length > 0 && (length ? body.length >= Number(length) : chunked && /(^|\r\n)0\r\n\r\n$/.test(body));
      return { status: Number(/^HTTP\/1\.\d (\d{3})/.exec(head)?.[1] ?? 0), head, whole, body: chunked ? body.replace(/(^|\r\n)[0-9a-f]+\r\n/gi, '') : body };
    };
    socket.setTimeout(silence, () => socket.destroy());
    socket.on('data', (part) => { text += part.toString('latin1'); if (answer().whole) socket.destroy(); });
    socket.on('error', () => {});
    socket.on('close', () => done(answer()));
  });
}

export const formType = { 'Content-Type': 'application/x-www-form-urlencoded' };

export function postForm(base, target, pairs, headers = {}) {
  return send(base, 'POST', target, { headers: { ...formType, ...headers }, body: typeof pairs === 'string' ? pairs : form(pairs) });
}

export function postJson(base, target, value, headers = {}) {
  return send(base, 'POST', target, { headers: { 'Content-Type': 'application/json', ...headers }, body: typeof value === 'string' ? value : JSON.stringify(value) });
}

// A person's browser: keeps cookies, prefers HTML, sends Origin with a POST as browsers do.
// in:  base    where requests go
//      origin  what the site is called, when that is not where they go
export class Browser {
  constructor(base, origin = base) {
    this.base = base;
    this.origin = origin;
    this.cookies = new Map();
    this.seenSecrets = new Set();
  }

  // The same browser, whose requests go to another web machine of the same site.
  at(base) { return Object.assign(new Browser(base, this.origin), { cookies: this.cookies, seenSecrets: this.seenSecrets }); }

  keep(answer) {
    for (const line of answer.headers['set-cookie'] ?? []) {
      const [pair] = line.split(';');
      const at = pair.indexOf('=');
      const name = pair.slice(0, at).trim();
      const value = pair.slice(at + 1).trim();
      if (/;\s*max-age=0/i.test(line) || value === '') this.cookies.delete(name);
      else { this.cookies.set(name, value); this.seenSecrets.add(value); }
    }
    return answer;
  }

  headers(more) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const all = { Accept: htmlAccept, ...(cookie ? { Cookie: cookie } : {}), ...more };
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  }

  // A browser keeps what follows a # to itself.
  async get(address, headers = {}) {
    const [target] = address.split('#');
    return this.keep(await send(this.base, 'GET', target, { headers: this.headers(headers) }));
  }

  async post(target, pairs, headers = {}) {
    return this.keep(await postForm(this.base, target, pairs, this.headers({ Origin: this.origin, ...headers })));
  }
}
