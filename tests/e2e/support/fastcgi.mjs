// A peer on a FastCGI socket that sends exactly the bytes it is given, which no web server would
// send.
// spec: the FastCGI specification, sections 3.3 and 8
import { once } from 'node:events';
import net from 'node:net';

const kinds = { begin: 1, abort: 2, end: 3, params: 4, stdin: 5, stdout: 6, stderr: 7, getValues: 9 };
export const responder = 1;
export const authorizer = 2;

export function record(kind, content = Buffer.alloc(0), id = 1) {
  const body = Buffer.from(content);
  const head = Buffer.from([1, kinds[kind], id >> 8, id & 255, body.length >> 8, body.length & 255, 0, 0]);
  return Buffer.concat([head, body]);
}

export const begin = (role = responder) => record('begin', [0, role, 0, 0, 0, 0, 0, 0]);

const length = (bytes) => (bytes.length < 128 ? Buffer.from([bytes.length]) : Buffer.from([0x80 | (bytes.length >>> 24), (bytes.length >> 16) & 255, (bytes.length >> 8) & 255, bytes.length & 255]));

export function pairs(values) {
  return Buffer.concat(Object.entries(values).flatMap(([name, value]) => {
    const [key, text] = [Buffer.from(name), Buffer.from(value)];
    return [length(key), length(text), key, text];
  }));
}

// The parameters that a web server sends with a request.
export function request(method, uri, more = {}) {
  return { REQUEST_METHOD: method, REQUEST_URI: uri, QUERY_STRING: '', SERVER_PROTOCOL: 'HTTP/1.1', REMOTE_ADDR: '127.0.0.1', ...more };
}

export const posted = (uri, body, more = {}) => request('POST', uri, { CONTENT_TYPE: 'application/x-www-form-urlencoded', CONTENT_LENGTH: String(Buffer.byteLength(body)), ...more });

export class Peer {
  // in: where  { path } of a unix socket, or { port } of this machine
  constructor(where) {
    this.socket = net.connect(where.port ? { host: '127.0.0.1', ...where } : where);
    this.received = Buffer.alloc(0);
    this.socket.on('data', (bytes) => { this.received = Buffer.concat([this.received, bytes]); });
    this.socket.on('error', () => { /* closed by the other side: what came counts */ });
    this.closed = new Promise((done) => { this.socket.once('close', done); });
  }

  async send(...parts) {
    if (this.socket.connecting) await once(this.socket, 'connect');
    this.socket.write(Buffer.concat(parts));
    return this;
  }

  half() { this.socket.end(); return this; } // nothing more comes from here
  drop() { this.socket.destroy(); }

  // Returns what came until the other side closed: `raw` is the stream that a web server would pass
  // on.
  async answer() {
    await this.closed;
    const streams = { [kinds.stdout]: [], [kinds.stderr]: [], [kinds.end]: [] };
    for (let at = 0; at + 8 <= this.received.length;) {
      const size = this.received.readUInt16BE(at + 4);
      streams[this.received[at + 1]]?.push(this.received.subarray(at + 8, at + 8 + size));
      at += 8 + size + this.received[at + 6];
    }
    const raw = Buffer.concat(streams[kinds.stdout]).toString();
    const [head, ...rest] = raw.split('\r\n\r\n');
    const lines = head.split('\r\n');
    return { raw, lines, body: rest.join('\r\n\r\n'), ended: streams[kinds.end].length > 0, status: Number(/^Status: (\d{3}) /.exec(raw)?.[1] ?? 0) };
  }
}

// A whole request, and its answer.
export async function ask(where, values, { role = responder, body = '', stdin = true } = {}) {
  const peer = new Peer(where);
  await peer.send(begin(role), record('params', pairs(values)), record('params'), ...(body ? [record('stdin', body)] : []), ...(stdin ? [record('stdin')] : []));
  return peer.answer();
}
