// Records a connection: passes bytes between a web machine and its database server and keeps what
// the machine sent.
import { once } from 'node:events';
import net from 'node:net';

// in:  to    the port of the server on this machine
//      host  where to listen: 127.0.0.1, or another address of the loopback network
// out: port, received() all that was sent so far, stop()
export async function startRecorder(to, host = '127.0.0.1') {
  const received = [];
  const open = new Set();
  const listener = net.createServer((client) => {
    const server = net.connect(to, '127.0.0.1');
    client.on('data', (bytes) => received.push(bytes));
    client.pipe(server);
    server.pipe(client);
    for (const [one, other] of [[client, server], [server, client]]) {
      open.add(one);
      one.on('error', () => {});
      one.on('close', () => { open.delete(one); other.destroy(); });
    }
  });
  listener.listen(0, host);
  await once(listener, 'listening');
  return {
    port: listener.address().port,
    received: () => Buffer.concat(received),
    stop: () => { listener.close(); for (const socket of open) socket.destroy(); },
  };
}
