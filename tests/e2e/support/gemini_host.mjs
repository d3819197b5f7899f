// Gemini CLI without its screen: its core, started as the command line starts it.
//   gemini_host.mjs SETTINGS     a JSON text, as in settings.json
// stdin:   one JSON request a line: signIn, as /mcp auth does it; call {tool}; dayPasses, after
//          which this machine's clock shows another day
// stdout:  {id, result} or {id, error}; other lines are what it shows the person
import readline from 'node:readline';
import { Config, coreEvents, CoreEvent, MCPOAuthProvider, MCPOAuthTokenStorage } from '@google/gemini-cli-core';

const { mcpServers } = JSON.parse(process.argv[2]);
const real = Date.now.bind(Date);
let ahead = 0;
Date.now = () => real() + ahead;

const config = new Config({ sessionId: 'e2e', clientVersion: '1', targetDir: process.cwd(), cwd: process.cwd(), debugMode: false, model: 'none', mcpServers,
  usageStatisticsEnabled: false, telemetry: { enabled: false }, trustedFolder: true, useRipgrep: false, enableAgents: false, enableHooks: false, skillsSupport: false });
coreEvents.on(CoreEvent.UserFeedback, ({ severity, message }) => console.log(`${severity}: ${message}`));
await config.initialize();

const requests = {
  async signIn() {
    const { httpUrl, url, oauth } = mcpServers.tools;
    await new MCPOAuthProvider(new MCPOAuthTokenStorage()).authenticate('tools', { ...oauth }, httpUrl ?? url);
    process.stdin.resume(); // its question has paused it
    await config.getMcpClientManager().restartServer('tools');
  },
  async call({ tool }) {
    const known = config.getToolRegistry().getTool(`mcp_tools_${tool}`);
    if (!known) throw new Error(`the server is not connected: ${config.getMcpClientManager().getLastError('tools')}`);
    const { returnDisplay, error } = await known.build({}).execute({ abortSignal: new AbortController().signal });
    if (error) throw new Error(error.message);
    return returnDisplay;
  },
  dayPasses() { ahead += 86400000; },
};

// Its question whether the browser may be opened is answered on the same stdin.
readline.createInterface({ input: process.stdin, terminal: false }).on('line', async (line) => {
  if (!line.startsWith('{')) return;
  const { id, method, params } = JSON.parse(line);
  const say = (message) => console.log(JSON.stringify({ id, ...message }));
  try { say({ result: (await requests[method](params)) ?? null }); } catch (error) { say({ error: { message: error.message } }); }
}).on('close', () => process.exit(0));
console.log(JSON.stringify({ id: 0, result: 'started' }));
