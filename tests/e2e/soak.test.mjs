// Everything that could hold others up, all of it together and for a while: what it costs stays
// flat, and nobody gets anything but an answer, 429 or 503. `make soak MINUTES=60` takes its time;
// in `make check` it is half a minute, and three times as dense.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parties } from './support/guilty.mjs';
import { Neighbourhood } from './support/neighbours.mjs';
import { sleep } from './support/server.mjs';

const minutes = Number(process.env.MINUTES || 0.5);
const session = Math.round(Math.min(600, Math.max(120, minutes * 10))); // seconds
const settings = {
  CONSENTGATE_FLOW_LIFETIME_SECONDS: '20', CONSENTGATE_CODE_LIFETIME_SECONDS: '20', CONSENTGATE_SESSION_LIFETIME_SECONDS: String(session),
  // Freed memory that AddressSanitizer keeps would look like a leak.
  ASAN_OPTIONS: `quarantine_size_mb=1:${process.env.ASAN_OPTIONS ?? ''}`,
};
const mib = 1024 * 1024;
const most = (usage, what) => Math.max(...Object.values(usage.processes).map((one) => one[what]));

test('XC2 XD1 XD2: with all bad neighbours at once, memory, descriptors and the database stay flat, and the innocent are served', { timeout: (minutes + 5) * 60000 }, async (t) => {
  const neighbourhood = await new Neighbourhood().start({ settings, pace: minutes < 1 ? 1 : 1 / 3 });
  try {
    const party = neighbourhood.begin(Object.keys(parties));
    const end = Date.now() + minutes * 60000;
    const seen = [];
    const totals = {};
    let statuses;
    try {
      for (let renewed = Date.now(); Date.now() < end;) {
        const times = await neighbourhood.watch(Math.min(5000, Math.max(1000, end - Date.now())));
        for (const [name, { ms, wrong }] of Object.entries(times)) {
          totals[name] ??= { times: 0, wrong: [] };
          totals[name].times += ms.length;
          totals[name].wrong.push(...wrong);
        }
        seen.push(neighbourhood.usage());
        if (Date.now() - renewed > session * 500) { await neighbourhood.signIn(); renewed = Date.now(); }
      }
    } finally { statuses = await party.stop(); }
    await sleep(1000);
    const last = neighbourhood.usage();
    t.diagnostic(`the others got ${JSON.stringify(statuses)}`);
    for (const what of ['bytes', 'descriptors']) t.diagnostic(`${what}: ${seen.map((usage) => most(usage, what)).join(' ')}, in the end ${most(last, what)}`);
    t.diagnostic(`database: ${seen.map(({ database }) => database).join(' ')}`);
    for (const [name, { times, wrong }] of Object.entries(totals)) {
      t.diagnostic(`${name}: ${times} times, ${wrong.length} in vain`);
      assert.ok(times > 0);
      assert.deepEqual(wrong.slice(0, 3), [], name);
    }
    const middle = seen[Math.floor(seen.length / 2)];
    assert.ok(most(last, 'descriptors') <= most(seen[0], 'descriptors') + 4, 'descriptors');
    assert.ok(most(last, 'bytes') <= most(middle, 'bytes') * 1.1 + 16 * mib, 'memory');
    // Sessions and codes are kept for a day or two after they end; of the others nothing may stay.
    const kept = totals['sign-in'].times * 8 * 1024;
    assert.ok(last.database <= seen[0].database + kept + 8 * mib, 'the database');
  } finally { await neighbourhood.stop(); }
});
