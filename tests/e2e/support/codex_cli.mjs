// Codex CLI. A person signs in by its command line; its app server, which editors use, calls tools
// for us, so no model is asked.
import fs from 'node:fs';
import path from 'node:path';
import { installed, typed } from './real_clients.mjs';
import { LineProgram, Program } from './terminal.mjs';

const program = [process.execPath, installed('@openai/codex/bin/codex.js')];
const folder = (home) => path.join(home, '.codex');

// Where documents of clients are understood, Codex names itself by one, unless it is to register.
async function signIn(command, server, home, person) {
  const terminal = new Program([...program, ...command, ...(server.understandsDocuments ? ['--oauth-client-registration', 'dcr'] : [])], home);
  try {
    await person(await terminal.address());
    await terminal.end();
  } finally { await terminal.stop(); }
}

function configure(home) {
  const settings = 'mcp_oauth_credentials_store = "file"\ncheck_for_update_on_startup = false\n[analytics]\nenabled = false\n'; // as where there is no keyring
  fs.mkdirSync(folder(home));
  fs.writeFileSync(path.join(folder(home), 'config.toml'), settings);
}

async function open(server, home) {
  const app = new LineProgram([...program, 'app-server'], home);
  await app.ask('initialize', { clientInfo: { name: 'e2e', version: '1' } });
  app.tell({ method: 'initialized' });
  const { thread } = await app.ask('thread/start', { cwd: home, ephemeral: true });
  return {
    async call(tool) {
      const answer = await app.ask('mcpServer/tool/call', { threadId: thread.id, server: 'tools', tool, arguments: {} }).catch((error) => ({ content: [{ text: error.message }] }));
      return answer.content[0].text;
    },
    stop: () => app.stop(),
  };
}

export const codex = {
  name: 'Codex CLI',
  registersAs: 'Codex',
  asksFirst: 'mcp',
  stepUp: /Insufficient scope/,
  ended: /^Authentication required$/,
  forgotten: /OAuth token refresh failed: .*invalid_client/,
  open,

  // A server that is added is signed in to at once.
  async begin(server, home, person) {
    configure(home);
    await signIn(['mcp', 'add', ...typed('codex mcp add', server)], server, home, person);
    return open(server, home);
  },

  // The running program keeps what it has: it is started anew.
  async again(session, server, home, person, scopes) {
    await signIn(['mcp', 'login', ...typed('codex mcp login', server), ...(scopes ? ['--scopes', scopes.join(',')] : [])], server, home, person);
    await session.stop();
    return open(server, home);
  },

  // The address that it opens by itself, as whoever types only what docs/clients.md says.
  async firstAddress(server, home) {
    configure(home);
    const terminal = new Program([...program, 'mcp', 'add', ...typed('codex mcp add', server)], home);
    try { return await terminal.address(); } finally { await terminal.stop(); }
  },

  refreshToken: (home) => Object.values(JSON.parse(fs.readFileSync(path.join(folder(home), '.credentials.json'), 'utf8')))[0].refresh_token,
};
