// Nobody but `make bench` starts what it measures, so a change elsewhere can break it unseen. Here
// its parts run once through, with the programs that are tested; their figures mean nothing.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { root } from './support/server.mjs';

const run = promisify(execFile);

test('SI86: every part of the bench but the long ones runs to its end and prints figures of each front', { timeout: 300000 }, async () => {
  const env = { ...process.env, BUILD: process.env.BUILD || 'build/asan', ROUNDS: '1', ENGINE: 'sqlite', PARTS: 'finalize endpoints gate people calls' };
  const { stdout } = await run(path.join(root, 'tests/bench/run.sh'), { env, timeout: 290000 });
  for (const part of ['(a)', '(e)', '(f)', '(h)', '(i)']) assert.match(stdout, new RegExp(`^${part.replace(/[()]/g, '\\$&')} `, 'm'), stdout);
  for (const front of ['lighttpd', 'Apache', 'nginx']) assert.match(stdout, new RegExp(`^  ${front} +\\d+ +\\d+ +\\d+ +\\d+ `, 'm'), stdout);
  for (const way of ['a typed name', 'a person', 'with assertion']) assert.match(stdout, new RegExp(`^  ${way}, by turns +\\d+ `, 'm'), stdout);
});
