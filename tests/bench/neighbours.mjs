// (g) of `make bench`: what people who mind their own business notice of a neighbour who does not.
// Each line is a ratio to the same in quiet, in this one run, behind Apache.
import { parties } from '../e2e/support/guilty.mjs';
import { Neighbourhood } from '../e2e/support/neighbours.mjs';

const [seconds = 10] = process.argv.slice(2).map(Number);
const target = 2; // p99 relative to quiet
const neighbourhood = await new Neighbourhood().start();
const p99 = (times) => times.quantile(0.99);
const rate = (times) => times.ms.length / seconds;
const line = (name, cells) => console.log(`  ${name.padEnd(42)}${cells.map((cell) => cell.padStart(24)).join('')}`);

try {
  await neighbourhood.watch(2000); // nothing is cold
  console.log('(g) p99 of the innocent and how many a second, beside neighbours who are not; relative to quiet');
  line('', Object.keys(neighbourhood.innocents));
  const before = await neighbourhood.watch(seconds * 1000);
  const quiet = await neighbourhood.watch(seconds * 1000);
  line('quiet', Object.values(quiet).map((times) => `${p99(times).toFixed(1)} ms, ${rate(times).toFixed(0)}/s`));
  line('quiet, a second time', Object.entries(quiet).map(([name, times]) => `${(p99(before[name]) / p99(times)).toFixed(2)}, ${(rate(before[name]) / rate(times)).toFixed(2)}`));
  for (const name of Object.keys(parties)) {
    const party = neighbourhood.begin([name]);
    await new Promise((done) => { setTimeout(done, 2000); });
    const loud = await neighbourhood.watch(seconds * 1000);
    const statuses = await party.stop();
    const cells = Object.entries(loud).map(([what, times]) => {
      const ratio = p99(times) / p99(quiet[what]);
      return `${ratio.toFixed(2)}, ${(rate(times) / rate(quiet[what])).toFixed(2)} ${ratio <= target ? 'ok' : 'MISSED'}${times.wrong.length ? ` ${times.wrong.length} WRONG` : ''}`;
    });
    line(name, cells);
    console.log(`    they got: ${JSON.stringify(statuses)}`);
    for (const [what, { wrong }] of Object.entries(loud)) if (wrong.length) console.log(`    ${what}: ${wrong[0]}`);
  }
} finally { await neighbourhood.stop(); }
