// opencode. A person signs in by its command line; its server, which its screen is a client of,
// calls the tool that a model asks for. The model is ours (scripted_model.mjs).
import fs from 'node:fs';
import path from 'node:path';
import { installed, typed } from './real_clients.mjs';
import { startScriptedModel } from './scripted_model.mjs';
import { freePort, until } from './server.mjs';
import { Program, shown } from './terminal.mjs';

const program = installed('opencode-linux-x64-baseline/bin/opencode');
// It would look for models, plugins and newer versions of itself elsewhere.
const alone = Object.fromEntries(['MODELS_FETCH', 'AUTOUPDATE', 'DEFAULT_PLUGINS', 'LSP_DOWNLOAD'].map((name) => [`OPENCODE_DISABLE_${name}`, '1']));
const settings = (home) => path.join(home, '.config/opencode/opencode.json');
const slow = 90000;

async function type(command, home, person) {
  const terminal = new Program([program, ...command], home, alone);
  try {
    await person?.(await terminal.address());
    await terminal.end();
  } finally { await terminal.stop(); }
}

async function open(server, home) {
  const model = await startScriptedModel();
  const port = await freePort();
  const config = { provider: { scripted: { npm: '@ai-sdk/openai-compatible', options: { baseURL: model.url, apiKey: 'none' }, models: { one: { tool_call: true } } } }, model: 'scripted/one', small_model: 'scripted/one', permission: 'allow' };
  const app = new Program([program, 'serve', '--port', String(port)], home, { ...alone, OPENCODE_CONFIG_CONTENT: JSON.stringify(config) });
  await until(() => app.said.includes('listening') || app.code !== undefined, 'opencode\'s server', slow);
  const send = async (target, body) => {
    const answer = await fetch(`http://127.0.0.1:${port}${target}`, { method: 'POST', signal: AbortSignal.timeout(slow), headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${target}: ${answer.status} ${await answer.text()}\n${app.said}`);
    return answer.json();
  };
  const session = await send('/session', { title: 'e2e' });
  const say = async (text) => (await send(`/session/${session.id}/message`, { parts: [{ type: 'text', text }] })).parts.find(({ type }) => type === 'text').text;
  return {
    async call(tool) {
      const said = await say(`tools_${tool}`);
      // On a busy machine it sends on a connection that the web server has closed meanwhile.
      return said.startsWith('The socket connection was closed') ? say(`tools_${tool}`) : said;
    },
    async stop() { await app.stop(); await model.stop(); },
  };
}

export const opencode = {
  name: 'opencode',
  registersAs: 'OpenCode',
  asksFirst: 'mcp',
  stepUp: /403 after trying upscoping/,
  operatorAsks: true, // it asks for the scopes of the first challenge, whatever its settings say
  ended: /^Unauthorized$/,
  forgotten: /^Unauthorized$/,
  skip: process.arch !== 'x64' && 'its package for this processor is not always there',
  open,

  async begin(server, home, person) {
    const config = shown('opencode', server);
    config.mcp.tools.oauth = { callbackPort: await freePort() }; // its own one may be taken
    fs.mkdirSync(path.dirname(settings(home)), { recursive: true });
    fs.writeFileSync(settings(home), JSON.stringify(config));
    await type(['mcp', 'auth', ...typed('opencode mcp auth', server)], home, person);
    return open(server, home);
  },

  // The running program goes on with what the other one got.
  async again(session, server, home, person, scopes) {
    if (scopes) await type(['mcp', 'logout', ...typed('opencode mcp logout', server)], home); // else it asks whether to sign in again
    await type(['mcp', 'auth', ...typed('opencode mcp auth', server)], home, person);
    return session;
  },

  refreshToken: (home) => JSON.parse(fs.readFileSync(path.join(home, '.local/share/opencode/mcp-auth.json'), 'utf8')).tools.tokens.refreshToken,
};
