// `npm run chaos`: breaks everything around the pipeline while it works, and proves that no money was lost or paid twice.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { recordsFor } from './feed.ts';
import { NEGATIVE_CONTROLS } from './negative.ts';
import { PROFILES, type Profile, type ProfileName } from './profile.ts';
import { printReport } from './report.ts';
import { type RunReport, run } from './run.ts';
import { describe, makeSchedule } from './schedule.ts';

const USAGE = `usage: npm run chaos -- [options]

  --profile NAME      ${Object.keys(PROFILES).join(', ')}; default ci
  --seed N            of everything that is chosen; default: the time. The same seed repeats the schedule
  --brokers 1|3       one broker, or a cluster of three (replication 3, two in sync); default 1
  --transfers N       another number of transfers than the profile's
  --minutes N         spread the faults over so many minutes
  --negative NAME     take one guarantee away, and expect findings: ${NEGATIVE_CONTROLS.map(({ name }) => name).join(', ')}, or all
  --json FILE         write the report
  --starved           with busy loops, memory pressure and a busy disk beside it
  --keep              keep data and logs, also when nothing was found
  --schedule          print the schedule and end

Exits 0 when nothing was found; with --negative, when the harness noticed.`;

const QUIET_WITHOUT_GUARANTEE_MS = 30_000;

interface Settings {
  readonly profile: Profile;
  readonly seed: number;
  readonly keep: boolean;
  readonly starved: boolean;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      profile: { type: 'string', default: 'ci' },
      seed: { type: 'string' },
      brokers: { type: 'string' },
      transfers: { type: 'string' },
      minutes: { type: 'string' },
      negative: { type: 'string' },
      json: { type: 'string' },
      starved: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      schedule: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const base: Profile | undefined = PROFILES[values.profile as ProfileName];
  if (!base) throw new Error(`there is no profile ${values.profile}\n\n${USAGE}`);
  const profile: Profile = {
    ...base,
    // A run of another size promises nothing.
    ...(values.transfers === undefined && values.minutes === undefined ? {} : { least: {}, allFailpoints: false }),
    ...(values.brokers === undefined ? {} : { brokers: number('brokers', values.brokers) === 3 ? 3 : 1 }),
    ...(values.transfers === undefined ? {} : sized(base, number('transfers', values.transfers))),
    ...(values.minutes === undefined ? {} : { faultsMs: number('minutes', values.minutes) * 60_000 }),
  };
  const seed = values.seed === undefined ? Date.now() % 1_000_000 : number('seed', values.seed);
  const settings = { profile, seed, keep: values.keep, starved: values.starved };
  if (values.schedule) {
    printSchedule(settings);
    return 0;
  }
  if (values.negative !== undefined) return negatives(values.negative, settings, values.json);
  const report = await run({ ...settings, say: console.error });
  save(values.json, report);
  printReport(report);
  return report.ok ? 0 : 1;
}

/** Each must make the harness fail. */
async function negatives(which: string, settings: Settings, json: string | undefined): Promise<number> {
  const controls = NEGATIVE_CONTROLS.filter(({ name }) => which === 'all' || name === which);
  if (controls.length === 0) throw new Error(`there is no negative control ${which}\n\n${USAGE}`);
  const reports: RunReport[] = [];
  for (const negative of controls) {
    // What is broken never balances: there is nothing to wait for.
    const profile = { ...settings.profile, quietMs: QUIET_WITHOUT_GUARANTEE_MS };
    const report = await run({ ...settings, profile, negative, say: console.error });
    reports.push(report);
    save(json, reports);
    printReport(report);
  }
  const blind = reports.filter((report) => !noticed(report)).map(({ negative }) => negative);
  if (blind.length === 0) console.log(`noticed: ${reports.map(({ negative }) => negative).join(', ')}`);
  else console.log(`NOT NOTICED: ${blind.join(', ')}`);
  return blind.length === 0 ? 0 : 1;
}

/** A finding about money or the record of it: what only says that the run was short does not count. */
function noticed({ verdict: { counts } }: RunReport): boolean {
  return (
    counts.lost + counts.paidTwice + counts.paidWrongly + counts.invariantsBroken + counts.wrongEnd + counts.webhook > 0
  );
}

function printSchedule({ profile, seed }: Settings): void {
  for (const step of makeSchedule(profile, seed, recordsFor(profile)).steps) {
    const at = `${(step.atMs / 1_000).toFixed(1).padStart(7)} s`;
    console.log('feed' in step ? `${at}  feed ${step.feed}` : `${at}  ${step.id} ${describe(step.fault)}`);
  }
}

/** With another number of transfers, and no more before the topic is made again than a quarter of them. */
function sized({ beforeRemade }: Profile, transfers: number): Pick<Profile, 'transfers' | 'beforeRemade'> {
  return { transfers, beforeRemade: Math.min(beforeRemade, Math.ceil(transfers / 4)) };
}

function number(name: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new Error(`--${name} must be a number above zero`);
}

function save(file: string | undefined, report: unknown): void {
  if (file === undefined) return;
  const plain = (_key: string, value: unknown) => (typeof value === 'bigint' ? value.toString() : value);
  writeFileSync(file, `${JSON.stringify(report, plain, 2)}\n`);
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error);
    process.exit(2);
  },
);
