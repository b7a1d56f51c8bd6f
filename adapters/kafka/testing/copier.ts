// A process that copies its input topics to one output topic through `consume`, partition by partition: what crash tests
// kill, freeze and start again. Its one argument is a CopierPlan as JSON; it prints one JSON line per event.
import type { LogRecord } from '../../../ports/log.ts';
import { createLog } from '../log.ts';
import type { CopierEvent, CopierPlan } from './copier-plan.ts';

const plan = JSON.parse(process.argv[2]!) as CopierPlan;
const tell = (event: CopierEvent) => process.stdout.write(`${JSON.stringify(event)}\n`);

/** Keys are a letter and a number. */
const copied = ({ key }: LogRecord) => Number(String(key).slice(1)) % (plan.every ?? 1) === 0;
/** A note is of the commit that moved the offset, and of no other: inputs have every offset from 0 on. */
const isTorn = (note: string, { offset }: LogRecord) =>
  (plan.delivery ?? 'exactly-once') === 'exactly-once' && (note === '' ? 0 : Number(note) + 1) !== offset;
let atHand: (() => void)[] = [];
let moment: NodeJS.Timeout | undefined;
const passOn = () => {
  clearTimeout(moment);
  const waiting = atHand;
  atHand = [];
  for (const go of waiting) go();
};

/** Waits for the batches of as many partitions as the plan says, a moment at most. */
async function allAtHand(): Promise<void> {
  if (plan.together === undefined) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  atHand.push(resolve);
  if (atHand.length === plan.together) passOn();
  else if (atHand.length === 1) moment = setTimeout(passOn, 300);
  await promise;
}

const passes = new Map<string, number>();
const log = createLog({
  brokers: plan.brokers,
  appName: plan.appName,
  clientId: `copier-${process.pid}`,
  sessionTimeoutMs: plan.sessionTimeoutMs,
  ...(plan.transactionTimeoutMs === undefined ? {} : { transactionTimeoutMs: plan.transactionTimeoutMs }),
  ...(plan.unsafe === undefined ? {} : { unsafe: plan.unsafe }),
  failpoint: async (name) => {
    const pass = (passes.get(name) ?? 0) + 1;
    passes.set(name, pass);
    if (plan.die?.at !== name || pass !== plan.die.pass) return;
    tell({ event: 'failpoint', name });
    if (plan.die.how === 'kill') process.kill(process.pid, 'SIGKILL');
    if (plan.die.how === 'stop') process.kill(process.pid, 'SIGSTOP');
    if (plan.die.how === 'throw') throw new Error(`failpoint ${name}`);
  },
});

const consumer = await log.consume({
  name: plan.consumer,
  topics: plan.inputs,
  delivery: plan.delivery ?? 'exactly-once',
  maxBatchRecords: plan.maxBatchRecords,
  lingerMs: 5,
  onFault: (fault) => tell({ event: 'fault', ...fault }),
  onCommit: ({ joined }) => {
    if (joined > 1) tell({ event: 'shared', joined });
  },
  handler: async ({ records, note = '' }) => {
    await allAtHand();
    if (isTorn(note, records[0]!)) tell({ event: 'torn', note, offset: records[0]!.offset });
    return {
      doneThrough: records.at(-1)!.offset,
      note: String(records.at(-1)!.offset),
      outputs: records.filter(copied).map(({ partition, key, value, topic }) => ({
        topic: plan.output,
        partition,
        key,
        value,
        headers: { from: topic },
      })),
      // biome-ignore lint/suspicious/noThenProperty: the port's word for what comes after the commit
      then: { do: 'continue' },
    };
  },
});
consumer.ended.catch((fault: { code: string }) => {
  tell({ event: 'ended', code: fault.code });
  process.exitCode = 3;
});
void consumer.ready.then(() => tell({ event: 'ready' }));
// Whoever started this process holds its input open: without them it must not go on.
process.stdin.once('end', () => process.exit(1)).resume();
process.stdout.once('error', () => process.exit(1));
process.once('SIGTERM', () => {
  void log.close().then(() => process.exit(0));
});
