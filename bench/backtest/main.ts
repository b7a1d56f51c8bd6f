// What a backtest costs on one core: five rules over priced transfers, what was made of each and its end, decoded from Avro and
// checked against its seal as from the log, in memory. Reading from brokers comes on top.
//
//   npm run bench -- backtest [--transfers 200000] [--senders 50000]
import { parseArgs } from 'node:util';
import { type LimitRule, senderDayRule } from '../../domain/limits/limit-rules.ts';
import { sealFlaw } from '../../ports/seals.ts';
import { Backtest, type BacktestTopic } from '../../processors/limits/backtest.ts';
import { bookOf } from '../../processors/limits/processor.ts';
import { AT, BOOK, reservedFrom, transferPriced } from '../../test/kit/builders.ts';
import { append, input } from '../../test/kit/harness.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import { MemoryLog } from '../../test/kit/memory-log.ts';
import { testRings } from '../../test/kit/rings.ts';
import { load, table } from '../report.ts';

const { values } = parseArgs({
  options: { transfers: { type: 'string', default: '200000' }, senders: { type: 'string', default: '50000' } },
});
const [transfers, senders] = [Number(values.transfers), Number(values.senders)];

const base = (ruleId: string): LimitRule =>
  senderDayRule({ ruleId, currency: 'GBP', limitMinor: 10n ** 14n, action: 'reject', freedByReturn: true });
const rules: readonly LimitRule[] = [
  base('sender-day'),
  { ...base('beneficiary-year'), subject: 'beneficiary', metric: { kind: 'count' } },
  { ...base('pair-30-days'), subject: 'pair', window: { kind: 'rolling', unit: 'day', length: 30 } },
  { ...base('sender-24-hours'), window: { kind: 'rolling', unit: 'hour', length: 24 } },
  {
    ...{ ...base('sender-beneficiaries'), metric: { kind: 'beneficiaries' } },
    window: { kind: 'rolling', unit: 'day', length: 30 },
  },
];

// Some records, made once; each transfer has the bytes of one of them, and an id and parties of its own after decoding.
const codec = memoryCodec();
const log = new MemoryLog({ partitions: 1 });
const value = transferPriced();
append(log, codec, input('transfer.priced', value, { partition: 0 }));
append(log, codec, input('transfer.reserved', reservedFrom(value), { partition: 0 }));
const TOPICS = ['transfer.priced', 'transfer.reserved', 'transfer.completed'] as const;
const records = [log.all('transfer.priced')[0]!, log.all('transfer.reserved')[0]!];
const CHUNK = 500;

const test = new Backtest({
  ...{ book: bookOf({ name: 'bench', version: '1', rules }, BOOK), from: 0, to: Number.MAX_SAFE_INTEGER },
  ...{ maxHeld: 40_000_000, onChange: () => undefined },
});
let changed = 0;
const began = [performance.now(), process.cpuUsage()] as const;
for (let first = 0; first < transfers; first += CHUNK) {
  for (const [place, topic] of TOPICS.entries()) {
    // An end is as large as what was reserved.
    const record = records[Math.min(place, 1)]!;
    const read = Array.from({ length: Math.min(CHUNK, transfers - first) }, () => record);
    const bytes = read.map((each) => {
      if (sealFlaw(testRings, each.topic, each) !== undefined) throw new Error('it is sealed');
      return each.value;
    });
    const decoded = await codec.decode(record.topic as 'transfer.priced', bytes);
    for (const [i, result] of decoded.entries()) {
      if (!result.ok) throw new Error(result.detail);
      const n = first + i;
      const instruction = {
        ...result.value.instruction,
        debtorToken: `sender-${n % senders}-of-the-benchmark-with-a-token-as-long`,
        creditorToken: `beneficiary-${n % senders}-${n % 3}-of-the-benchmark-as-long`,
      };
      const envelope = { ...result.value.envelope, transferId: `transfer-${n}` };
      const at = AT + Math.floor((n / transfers) * 20 * 86_400_000);
      test.add(topic as BacktestTopic, { ...result.value, envelope, instruction } as never, at + place);
      changed += 1;
    }
  }
}
const [wallS, cpu] = [(performance.now() - began[0]) / 1_000, process.cpuUsage(began[1])];
const cpuS = (cpu.user + cpu.system) / 1e6;
const { outcomes } = test.report();
if (outcomes.length !== 1 || outcomes[0]?.transfers !== transfers) throw new Error('every transfer was to pass');
const memory = Math.round(process.memoryUsage().heapUsed / 1_048_576);
const row = [transfers, changed, Math.round(transfers / cpuS), Math.round(transfers / wallS), `${memory} MiB`, load()];
console.log(table(['transfers', 'records', 'transfers/s of one core', 'transfers/s here', 'heap', 'load'], [row]));
