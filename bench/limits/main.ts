// What a reservation costs the one core of Redis: five rules of different subjects and windows, and the rules of before. By
// processor time of the server, which other work on the machine does not change much; the rate follows from it.
//
//   npm run bench -- limits --url redis://127.0.0.1:6379 [--transfers 100000] [--batch 200] [--senders 20000]
//
// The server is emptied of nothing: the ledger has a namespace of its own, and is removed. Persistence is the server's own.
import { parseArgs } from 'node:util';
import type { Redis } from 'ioredis';
import { limitsLedger } from '../../adapters/redis/limits.ts';
import { limitsClient, ready } from '../../adapters/redis/limits-client.ts';
import { type LimitRule, senderDayRule } from '../../domain/limits/limit-rules.ts';
import type { LimitOperation } from '../../processors/limits/ports.ts';
import { type RuleBook, requestsOf, ruleBook } from '../../processors/limits/requests.ts';
import { AT, transferPriced } from '../../test/kit/builders.ts';
import { KEYS } from '../../test/kit/keys.ts';
import { load, table } from '../report.ts';

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    transfers: { type: 'string', default: '100000' },
    batch: { type: 'string', default: '200' },
    senders: { type: 'string', default: '20000' },
  },
});
if (values.url === undefined) throw new Error('name a Redis with --url');
const [transfers, batch, senders] = [values.transfers, values.batch, values.senders].map(Number) as [
  number,
  number,
  number,
];

const base = (ruleId: string): LimitRule => ({
  ...senderDayRule({ ruleId, currency: 'GBP', limitMinor: 10n ** 14n, action: 'reject', freedByReturn: true }),
});
const SETS: Readonly<Record<string, readonly LimitRule[]>> = {
  'two of before': [base('sender-day'), { ...base('sender-day-review'), action: 'hold' }],
  'five calendar': [
    base('sender-day'),
    { ...base('beneficiary-year'), subject: 'beneficiary', metric: { kind: 'count' } },
    { ...base('pair-month'), subject: 'pair', window: { kind: 'calendar', unit: 'month', timeZone: 'Asia/Kolkata' } },
    { ...base('sender-week'), window: { kind: 'calendar', unit: 'week', timeZone: 'UTC', weekStart: 'monday' } },
    { ...base('provider-float'), subject: 'provider', provider: 'simulator', window: { kind: 'lifetime' } },
  ],
  'five, three of them rolling': [
    base('sender-day'),
    { ...base('beneficiary-year'), subject: 'beneficiary', metric: { kind: 'count' } },
    { ...base('pair-30-days'), subject: 'pair', window: { kind: 'rolling', unit: 'day', length: 30 } },
    { ...base('sender-24-hours'), window: { kind: 'rolling', unit: 'hour', length: 24 } },
    {
      ...{ ...base('sender-beneficiaries'), metric: { kind: 'beneficiaries' } },
      window: { kind: 'rolling', unit: 'day', length: 30 },
    },
  ],
};

const value = transferPriced();

/** The reservation of the n-th transfer: senders take turns, and each has three beneficiaries. Twenty days pass. */
function reserveOf(n: number, book: RuleBook): LimitOperation {
  const sender = n % senders;
  const instruction = {
    ...value.instruction,
    debtorToken: `sender-${sender}-of-the-benchmark-with-a-token-as-long`,
    creditorToken: `beneficiary-${sender}-${n % 3}-of-the-benchmark-as-long`,
  };
  const at = AT + Math.floor((n / transfers) * 20 * 86_400_000);
  return {
    ...{ kind: 'reserve', transferId: `transfer-${n}`, attempt: 1 },
    requests: requestsOf({ ...value, instruction }, at, book),
  };
}

/** Seconds of processor time that the server has used. */
async function cpuOf(redis: Redis): Promise<number> {
  const info = await redis.info('cpu');
  const of = (field: string) => Number(new RegExp(`^${field}:([\\d.]+)`, 'm').exec(info)?.[1] ?? 0);
  return of('used_cpu_user') + of('used_cpu_sys');
}

async function measure(redis: Redis, name: string, rules: readonly LimitRule[]) {
  const namespace = `bench-limits-${process.pid}-${rules.length}`;
  const ledger = limitsLedger(redis, { keys: KEYS.stages, namespace });
  await ledger.replaceAll({ records: [], counters: [] }, null);
  const book = ruleBook({ name: 'bench', version: '1', rules }, () => 'GB-IN');
  const began = [performance.now(), await cpuOf(redis)] as const;
  let refused = 0;
  for (let n = 0; n < transfers; n += batch) {
    const operations = Array.from({ length: Math.min(batch, transfers - n) }, (_, i) => reserveOf(n + i, book));
    for (const { kind } of await ledger.apply(operations)) if (kind !== 'reserved') refused += 1;
  }
  const [wallS, cpuS] = [(performance.now() - began[0]) / 1_000, (await cpuOf(redis)) - began[1]];
  if (refused > 0) throw new Error(`${refused} transfers were refused: nothing was to be`);
  await ledger.close();
  const { marker } = await ledger.status();
  await ledger.replaceAll({ records: [], counters: [] }, marker);
  await ledger.close();
  const [us, perCore] = [((cpuS / transfers) * 1e6).toFixed(1), Math.round(transfers / cpuS)];
  return [name, us, perCore, Math.round(transfers / wallS), load()] as const;
}

const redis = limitsClient({ url: values.url, commandTimeoutMs: 60_000 });
await ready(redis);
try {
  const rows = [];
  for (const [name, rules] of Object.entries(SETS)) rows.push(await measure(redis, name, rules));
  console.log(table(['rules', 'Redis, µs a transfer', 'transfers/s of one core', 'transfers/s here', 'load'], rows));
} finally {
  redis.disconnect();
}
