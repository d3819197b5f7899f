// consentgate as a client of an MCP server with its own OAuth, as the conformance suite starts
// clients: an operator makes the service known, and a person connects an account there.
//   service_client.mjs URL      CONSENTGATE_UNDER_TEST: the running server, as JSON
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Browser } from './browser.mjs';
import { choose, connect, register, startFlow } from './journey.mjs';

const [url] = process.argv.slice(2);
const { admin, environment, server } = JSON.parse(process.env.CONSENTGATE_UNDER_TEST);
const service = `suite-${process.pid}`;

await promisify(execFile)(admin, ['service', 'add', service, '--url', url], { env: environment });
const flow = await startFlow(server, { client: await register(server), browser: new Browser(server.base, server.issuer) });
await choose(flow, { skip: true });
const answer = await connect(server, flow, service, async (address) => (await fetch(address, { redirect: 'manual' })).headers.get('location'));
assert.equal(answer.location, `/oauth/consent/mcps?flow_id=${flow.flowId}#service-${service}`, answer.text);
const page = await flow.browser.get(answer.location);
assert.match(page.text, /Connected/);
