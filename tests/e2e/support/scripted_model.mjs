// A model for clients that call tools only when one tells them to: it calls the tool that the last
// message names, and then repeats what the tool said. Speaks OpenAI's chat completions.
import { once } from 'node:events';
import http from 'node:http';

const chunk = (delta, finish = null) => `data: ${JSON.stringify({ id: 'one', object: 'chat.completion.chunk', created: 0, model: 'one', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const textOf = (content) => (typeof content === 'string' ? content : (content ?? []).map((part) => part.text ?? '').join(''));

function answerTo({ messages, tools = [] }) {
  const last = messages.at(-1);
  const wanted = textOf(last.content).trim();
  if (last.role === 'user' && tools.some((tool) => tool.function.name === wanted)) {
    return chunk({ role: 'assistant', tool_calls: [{ index: 0, id: `call_${messages.length}`, type: 'function', function: { name: wanted, arguments: '{}' } }] }) + chunk({}, 'tool_calls');
  }
  return chunk({ role: 'assistant', content: last.role === 'tool' ? wanted : `there is no tool ${wanted}` }) + chunk({}, 'stop');
}

// out: url, stop()
export async function startScriptedModel() {
  const server = http.createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.end(`${answerTo(JSON.parse(body))}data: [DONE]\n\n`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}/v1`,
    async stop() { server.close(); server.closeAllConnections(); await once(server, 'close'); },
  };
}
