// Gemini CLI by its core (gemini_host.mjs): the package that has everything but the screen.
import fs from 'node:fs';
import path from 'node:path';
import { root, until } from './server.mjs';
import { LineProgram, shown } from './terminal.mjs';

async function open(server, home) {
  const app = new LineProgram([process.execPath, path.join(root, 'tests/e2e/support/gemini_host.mjs'), JSON.stringify(shown('Gemini CLI', server))], home);
  await until(() => app.said.includes('"started"') || app.code !== undefined, 'Gemini\'s core to start', 90000);
  return {
    async signIn(person) {
      const begun = app.said.length;
      const done = app.ask('signIn');
      done.catch(() => {}); // is awaited below
      await until(() => app.said.includes('[Y/n]', begun) || app.code !== undefined, 'its question whether to open the browser');
      app.child.stdin.write('y\n');
      await person(await app.address());
      await done;
    },
    call: (tool) => app.ask('call', { tool }).catch((error) => error.message),
    dayPasses: () => app.ask('dayPasses'),
    stop: () => app.stop(),
  };
}

export const gemini = {
  name: 'Gemini CLI',
  registersAs: 'Gemini CLI MCP Client',
  asksFirst: 'mcp profile', // every scope of the authorization server, so it needs no step-up
  ended: /redirect_uris must be an array/, // it registers without an address of its own
  forgotten: /redirect_uris must be an array/,
  open,

  async begin(server, home, person) {
    const session = await open(server, home);
    await session.signIn(person);
    return session;
  },

  async again(session, server, home, person) {
    await session.signIn(person);
    return session;
  },

  refreshToken: (home) => JSON.parse(fs.readFileSync(path.join(home, '.gemini/mcp-oauth-tokens.json'), 'utf8'))[0].token.refreshToken,
};
