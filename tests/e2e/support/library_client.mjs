// A program of a person's that uses a library for MCP: it signs in, calls tools, and keeps what it
// got in a file, which it reads once, when it starts.
//   library_client.mjs LIBRARY URL STORE
// stdin:   {"call": TOOL}, and {"came": ADDRESS} when the browser is back at the program
// stdout:  {"asks": ADDRESS} for the person, then {"said": …} or {"failed": …} for the call
import fs from 'node:fs';
import readline from 'node:readline';
import { App } from './app.mjs';

const [library, url, store] = process.argv.slice(2);
// An application asks for these by itself when its library cannot step up.
const everyScope = 'mcp profile';

class KeepingApp extends App {
  constructor() {
    super();
    if (fs.existsSync(store)) Object.assign(this, JSON.parse(fs.readFileSync(store, 'utf8')));
  }

  write() {
    const { client, kept, verifier, discovered } = this;
    fs.writeFileSync(`${store}.${process.pid}`, JSON.stringify({ client, kept, verifier, discovered }));
    fs.renameSync(`${store}.${process.pid}`, store);
  }

  saveClientInformation(client) { super.saveClientInformation(client); this.write(); }
  saveTokens(tokens) { super.saveTokens(tokens); this.write(); }
  saveCodeVerifier(verifier) { super.saveCodeVerifier(verifier); this.write(); }
  invalidateCredentials(what) { super.invalidateCredentials(what); this.write(); }
  isClientInformationDynamicallyRegistered() { return true; }
  storedState() { return this.state(); }
}
const app = new KeepingApp();

// ---- the libraries: how each calls, wants a person, is finished, and is made to ask for more ----

function sdk({ Client, Transport, UnauthorizedError, auth, codeOf }) {
  let client;
  let transport;
  return {
    async call(name) {
      if (!client) {
        transport = new Transport(new URL(url), { authProvider: app });
        const fresh = new Client({ name: 'library client', version: '1' });
        await fresh.connect(transport);
        client = fresh;
      }
      return (await client.callTool({ name, arguments: {} })).structuredContent;
    },
    wantsPerson: (error) => error instanceof UnauthorizedError,
    finish: (sent) => transport.finishAuth(codeOf(sent)),
    lacksScope: (error) => error.code === 403,
    ask: () => auth(app, { serverUrl: url, scope: everyScope }),
  };
}

const libraries = {
  async sdk() {
    const { auth, UnauthorizedError } = await import('@modelcontextprotocol/sdk/client/auth.js');
    const { Client } = await import('@modelcontextprotocol/sdk/client/index.js');
    const { StreamableHTTPClientTransport: Transport } = await import('@modelcontextprotocol/sdk/client/streamableHttp.js');
    return sdk({ Client, Transport, UnauthorizedError, auth, codeOf: (sent) => sent.get('code') });
  },
  async sdk2() {
    const { Client, StreamableHTTPClientTransport: Transport, UnauthorizedError, auth } = await import('@modelcontextprotocol/client');
    return sdk({ Client, Transport, UnauthorizedError, auth, codeOf: (sent) => sent });
  },
  async ai() {
    const { auth, createMCPClient, UnauthorizedError } = await import('@ai-sdk/mcp');
    let client;
    return {
      async call(name) {
        client ??= await createMCPClient({ transport: { type: 'http', url, authProvider: app } });
        return (await client.callTool({ name, arguments: {} })).structuredContent;
      },
      wantsPerson: (error) => error instanceof UnauthorizedError || error.cause instanceof UnauthorizedError,
      finish: (sent) => auth(app, { serverUrl: url, authorizationCode: sent.get('code'), callbackState: sent.get('state'), callbackIssuer: sent.get('iss') }),
      lacksScope: (error) => error.statusCode === 403,
      ask: () => auth(app, { serverUrl: url, scope: everyScope }),
    };
  },
};

// ---- the program --------------------------------------------------------------------------------

const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const next = async () => { const { value, done } = await lines.next(); return done ? undefined : JSON.parse(value); };
const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
const used = await libraries[library]();

async function call(name, mayAsk = 3) {
  try { return { said: await used.call(name) }; } catch (error) {
    if (mayAsk === 0 || !(used.wantsPerson(error) || used.lacksScope(error))) return { failed: `${error?.stack ?? error}` };
    if (!used.wantsPerson(error)) {
      app.invalidateCredentials('tokens');
      await used.ask();
    }
  }
  say({ asks: app.asked.at(-1).href });
  await used.finish(new URL((await next()).came).searchParams);
  return call(name, mayAsk - 1);
}

for (let request = await next(); request; request = await next()) say(await call(request.call).catch((error) => ({ failed: `${error?.stack ?? error}` })));
process.exit(0); // its streams would keep it
