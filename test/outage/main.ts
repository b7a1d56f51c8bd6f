// `npm run outage`: takes dependencies of the pipeline away for minutes, and shows that work waits and goes on by itself.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { DEPENDENCIES, type Way } from './dependency.ts';
import { printOutages } from './report.ts';
import { type Outage, runOutages } from './run.ts';

const WAYS: readonly Way[] = ['kill', 'freeze', 'hole'];
const NAMES = DEPENDENCIES.map(({ name }) => name);
const USAGE = `usage: npm run outage -- [options]

  --away NAMES        which, comma-separated: ${NAMES.join(', ')}; default all, one after another
  --how WAY           kill: the server is killed and started again; freeze: it is held (SIGSTOP) and continued (not the
                      provider); hole: it runs and no byte gets through; default kill
  --seconds N         how long each is away; default 120
  --rate N            records a second, all the time; default 10
  --seed N            of the load; default: the time
  --json FILE         write the report
  --keep              keep data and logs, also when nothing was found

Exits 0 when nothing was dead-lettered, lost or paid twice, health named what was away, no process ended, and all work
went on by itself.`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      away: { type: 'string', default: NAMES.join(',') },
      how: { type: 'string', default: 'kill' },
      seconds: { type: 'string', default: '120' },
      rate: { type: 'string', default: '10' },
      seed: { type: 'string' },
      json: { type: 'string' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const report = await runOutages({
    outages: values.away.split(',').map((name) => outage(name, values.how)),
    seconds: number('seconds', values.seconds),
    rate: number('rate', values.rate),
    seed: values.seed === undefined ? Date.now() % 1_000_000 : number('seed', values.seed),
    keep: values.keep,
    say: console.error,
  });
  if (values.json !== undefined) {
    const plain = (_key: string, value: unknown) => (typeof value === 'bigint' ? value.toString() : value);
    writeFileSync(values.json, `${JSON.stringify(report, plain, 2)}\n`);
  }
  printOutages(report);
  return report.ok ? 0 : 1;
}

function outage(name: string, how: string): Outage {
  const dependency = DEPENDENCIES.find((one) => one.name === name);
  if (!dependency) throw new Error(`there is no dependency ${name}\n\n${USAGE}`);
  const way = WAYS.find((one) => one === how);
  if (!way) throw new Error(`--how must be one of ${WAYS.join(', ')}\n\n${USAGE}`);
  if (way === 'freeze' && dependency.server === undefined) throw new Error(`${name} cannot be held: kill it`);
  return { dependency, way };
}

function number(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`--${name} must be a whole number above zero`);
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error);
    process.exit(2);
  },
);
