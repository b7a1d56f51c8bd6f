// How many transfers a process of the API takes in, with the chain off: one by one over many connections, and in batches.
// `npm run bench -- submissions [--transfers N] [--connections N] [--write]`
import { createHash } from 'node:crypto';
import { Agent, request } from 'node:http';
import { parseArgs } from 'node:util';
import { goodIntent } from '../../samples/intents.ts';
import { seeded } from '../../samples/random.ts';
import type { Party, TransferRequested } from '../../schemas/types.generated.ts';
import { cpuBetween } from '../cpu.ts';
import { Stand } from '../pipeline/installation.ts';
import { BENCHMARKS_PAGE, load, table, writeResults, writeSection } from '../report.ts';

const WARM_UP = 2_000;
const LINES = 500;
const BATCHES_AT_ONCE = 2;

const { values } = parseArgs({
  options: {
    transfers: { type: 'string', default: '10000' },
    connections: { type: 'string', default: '64' },
    write: { type: 'boolean', default: false },
  },
});
const transfers = Number(values.transfers);
const connections = Number(values.connections);
const agent = new Agent({ keepAlive: true, maxSockets: connections });

interface Measured {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Processor time of the API, µs a transfer. */
  readonly apiMicros: number;
  readonly load: number;
}

const stand = await Stand.start({}, (line) => console.error(line));
try {
  const { url, key } = await stand.api();
  const post = poster(url, key);
  const one = async (transfer: Prepared) => {
    const headers = { 'content-type': 'application/json', 'idempotency-key': transfer.id };
    const { status } = await post('/v1/transfers', headers, transfer.json);
    if (status !== 202) throw new Error(`a submission was answered ${status}`);
  };
  const batch = async (lines: readonly Prepared[]) => {
    const headers = { 'content-type': 'application/x-ndjson' };
    const { status, body } = await post('/v1/transfers/batch', headers, lines.map(({ json }) => `${json}\n`).join(''));
    const taken = body.split('\n').filter((line) => line.includes('"status":202')).length;
    if (status !== 200 || taken !== lines.length) throw new Error(`a batch was answered ${status}, ${taken} taken`);
  };
  await measured(prepared(WARM_UP, 'warm-up'), connections, one, 1);
  const single = await measured(prepared(transfers, 'single'), connections, one, 1);
  const lines = prepared(transfers, 'batch');
  const batches = Array.from({ length: Math.ceil(transfers / LINES) }, (_, n) =>
    lines.slice(n * LINES, (n + 1) * LINES),
  );
  const batched = await measured(batches, BATCHES_AT_ONCE, batch, LINES);
  const row = (what: string, { perSecond, p50Ms, p99Ms, apiMicros, load: then }: Measured) =>
    [what, ...[perSecond, p50Ms, p99Ms, apiMicros].map((figure) => figure.toFixed(0)), then] as const;
  const text = [
    table(
      ['way in', 'transfers/s', 'request p50, ms', 'request p99, ms', 'API, µs of processor a transfer', 'load'],
      [
        row(`one by one, ${connections} connections`, single),
        row(`batches of ${LINES} lines, ${BATCHES_AT_ONCE} at once`, batched),
      ],
    ),
    `${transfers} transfers each; client, API, Kafka and MongoDB on one machine, the chain off.`,
  ].join('\n\n');
  console.log(text);
  if (values.write) {
    writeResults('submissions', { transfers, connections, single, batched });
    writeSection(BENCHMARKS_PAGE, 'submissions', text);
  }
} finally {
  agent.destroy();
  await stand.stop();
}

interface Prepared {
  readonly id: string;
  readonly json: string;
}

/** Distinct transfers as a producer sends them. */
function prepared(count: number, run: string): readonly Prepared[] {
  const random = seeded(count);
  const now = Date.now();
  const salt = `${run}/${now}`;
  return Array.from({ length: count }, (_, index): Prepared => {
    const id = (what: string) => createHash('sha256').update(`${salt}/${what}/${index}`).digest('hex').slice(0, 32);
    const ids = { transferId: id('transfer'), customerId: id('customer'), beneficiaryId: id('beneficiary') };
    return { id: ids.transferId, json: JSON.stringify(asJson(goodIntent(random, ids, now))) };
  });
}

function asJson({ parties, instructedAmount, requestedAt, ...rest }: TransferRequested): object {
  const { debtor, creditor, intermediaries, remittanceInformation } = (
    parties as Extract<typeof parties, { 'corridor.Parties': { readonly debtor: Party } }>
  )['corridor.Parties'];
  const { minor, currency } = instructedAmount;
  return {
    ...{ ...rest, debtor, creditor, intermediaries, remittanceInformation },
    ...{ requestedAt: new Date(requestedAt).toISOString(), instructedAmount: { minor: minor.toString(), currency } },
  };
}

/** Sends all, so many at once, each as soon as another is answered. */
async function measured<T>(
  items: readonly T[],
  atOnce: number,
  send: (item: T) => Promise<void>,
  transfersEach: number,
): Promise<Measured> {
  const latencies: number[] = [];
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const item = items[next++]!;
      const began = performance.now();
      await send(item);
      latencies.push(performance.now() - began);
    }
  };
  const before = stand.cpu();
  const began = performance.now();
  await Promise.all(Array.from({ length: atOnce }, worker));
  const elapsedMs = performance.now() - began;
  const count = items.length * transfersEach;
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
  return {
    perSecond: (count * 1_000) / elapsedMs,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    apiMicros: ((cpuBetween(before, stand.cpu())['api'] ?? 0) * 1_000) / count,
    load: load(),
  };
}

function poster(url: string, key: string) {
  return (path: string, headers: Readonly<Record<string, string>>, body: string) =>
    new Promise<{ readonly status: number; readonly body: string }>((resolve, reject) => {
      const all = { ...headers, authorization: `Bearer ${key}`, 'content-length': Buffer.byteLength(body) };
      const sent = request(new URL(path, url), { method: 'POST', agent, headers: all }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
        );
      });
      sent.on('error', reject);
      sent.end(body);
    });
}
