// What reads foreign bytes, and what must hold of it whatever the bytes are: a value or a coded refusal, and the neighbours
// read as if nothing stood beside them. Each case follows from its seed alone.

import { decodeBatches, type FetchedRecord } from '../../adapters/kafka/kafkajs/fetch-response.ts';
import { cancelResult, queryResult, submitResult } from '../../adapters/payout-providers/answers.ts';
import { linesOf } from '../../cli/ndjson.ts';
import { type Random, seeded } from '../../samples/random.ts';
import { avroType, recordType } from '../../schemas/avro-types.ts';
import { selfContained } from '../../schemas/load.ts';
import { fxRate, transferRequested, transferReserved } from '../kit/builders.ts';
import { batchBy, batchOf, type Codec, PACK, recordsOf, sealed } from '../kit/kafka/batches.ts';
import { headers, notes } from './headers.ts';
import { intents } from './intents.ts';
import { lists } from './lists.ts';
import { must } from './must.ts';
import { mutate } from './mutate.ts';

/** Throws when something does not hold. */
export type Target = (random: Random) => Promise<void>;

const BUDGET = 1_048_576;
const CODECS: readonly Codec[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
const IDS: Readonly<Record<Codec, number>> = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 };
const neighbour = (offset: number) => batchBy('none', [{ key: Buffer.from('n'), value: Buffer.from('near') }], offset);
const readsAsBefore = ({ value, headers }: FetchedRecord) =>
  String(value) === 'near' && Object.keys(headers).length === 0;

function madeRecords(random: Random) {
  return Array.from({ length: 1 + random.below(5) }, (_, at) => ({
    key: random.below(3) === 0 ? null : Buffer.from(`key-${at}`),
    value: Buffer.alloc(random.below(300), at),
    headers: Array.from({ length: random.below(4) }, (__, n) => [`name-${n}`, Buffer.alloc(random.below(9))] as const),
  }));
}

/** A batch that was changed before it was packed, after it was packed, or in its header. */
function spoiltBatch(random: Random): Buffer {
  const codec = random.pick(CODECS);
  const records = madeRecords(random);
  const plain = recordsOf(records);
  const way = random.below(3);
  if (way === 0) return batchOf(PACK[codec](mutate(plain, random)), IDS[codec], records.length, 100);
  if (way === 1) return batchOf(mutate(PACK[codec](plain), random), IDS[codec], records.length, 100);
  const batch = batchBy(codec, records, 100);
  const at = 17 + random.below(44);
  mutate(batch.subarray(at, at + 1 + random.below(8)), random).copy(batch, at, 0, 8);
  return random.below(2) === 0 ? sealed(batch) : batch;
}

const batches: Target = async (random) => {
  const spoilt = spoiltBatch(random);
  const all = Buffer.concat([neighbour(0), spoilt, neighbour(200)]);
  const records = await decodeBatches(all, 1_000, { most: BUDGET, left: BUDGET });
  must(readsAsBefore(records[0]!) && readsAsBefore(records.at(-1)!), 'a neighbour reads otherwise');
  must(records.nextOffset === 201, `goes on at ${records.nextOffset}`);
  let last = -1;
  for (const record of records) {
    must(record.offset > last, 'offsets do not rise');
    last = record.offset;
    must(
      Object.values(record.headers).every((value) => value === undefined || value.length <= spoilt.length * 1_100),
      '',
    );
    const { unreadable } = record;
    if (!unreadable) continue;
    must(
      unreadable.code.startsWith('BATCH_') && unreadable.firstOffset === 100,
      'an unreadable batch has a wrong name',
    );
    must(unreadable.bytes.equals(spoilt), 'its bytes are not kept');
  }
};

const VALUES = [
  [recordType('TransferRequested'), transferRequested()],
  [recordType('TransferReserved'), transferReserved()],
  [recordType('FxRate'), fxRate()],
] as const;
/** What a newer producer's schema may have that we do not know: it is skipped. */
const KNOWN = selfContained('corridor.FxRate');
const more = { type: 'array', items: { type: 'map', values: ['null', 'string', { type: 'array', items: 'null' }] } };
const NEWER = avroType({ ...KNOWN, fields: [...KNOWN.fields!, { name: 'more', type: more, default: [] }] });
const RESOLVER = avroType(KNOWN).createResolver(NEWER);
const NEWER_BYTES = NEWER.toBuffer({ ...fxRate(), more: [{ a: null, b: 'text' }, { c: [null, null] }] });

const avro: Target = async (random) => {
  const [type, value] = random.pick(VALUES);
  const good = type.toBuffer(value);
  const read = attempt(() => type.fromBuffer(mutate(good, random)) as unknown);
  if (read !== undefined) {
    must(type.isValid(read), 'what was read is not valid');
    must(
      type.toBuffer(type.fromBuffer(type.toBuffer(read))).equals(type.toBuffer(read)),
      'what was read is not written so',
    );
  }
  must(type.toBuffer(type.fromBuffer(good)).equals(good), 'a good record reads otherwise');
  attempt(() => avroType(KNOWN).fromBuffer(mutate(NEWER_BYTES, random), RESOLVER) as unknown);
};

/** The codec turns whatever is thrown into a coded refusal; what ends the process is no such thing. */
function attempt(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    must(error instanceof Error && !/allocation|Invalid array length|call stack/.test(error.message), String(error));
    return undefined;
  }
}

const LINES = Buffer.from('{"a":1}\n{"b":"é"}\r\n\n{"c":[1,2,{"d":null}]}\n');
const ndjson: Target = async (random) => {
  const bytes = mutate(LINES, random);
  const cut = random.below(bytes.length);
  async function* chunks() {
    yield bytes.subarray(0, cut);
    yield bytes.subarray(cut);
  }
  let lines = 0;
  for await (const some of linesOf(chunks(), 30)) lines += some.length;
  const feeds = bytes.reduce((sum, byte) => sum + (byte === 10 ? 1 : 0), 0);
  must(lines === feeds || lines === feeds + 1, `${lines} lines of ${feeds}`);
};

const VIEW = {
  idempotencyKey: 'k:1',
  state: 'PAID',
  reference: 'r-1',
  asOf: '2026-01-15T09:00:00Z',
  transferId: 't-1',
  endToEndId: 'e-1',
  amount: { minor: '12345', currency: 'INR' },
  beneficiaryDigest: 'ab'.repeat(32),
};
const REFUSAL = { code: 'DECLINED', message: 'no', definitive: true, reasonCode: 'AC04', asOf: VIEW.asOf };
const ANSWERS = [VIEW, REFUSAL].map((answer) => Buffer.from(JSON.stringify(answer)));
const READERS = [submitResult, queryResult, cancelResult] as const;
const answered = (status: number, body: string) =>
  ({ kind: 'answered', status, retryAfter: undefined, isJson: true, body }) as const;
const MAX_TEXT = 200;

const provider: Target = async (random) => {
  const [good, refusal] = ANSWERS;
  must(queryResult('k:1', answered(200, String(good))).kind === 'observed', 'a good answer is none');
  must(submitResult('k:1', answered(422, String(refusal))).kind === 'observed', 'a good refusal is none');
  const body = mutate(random.pick(ANSWERS), random).toString('utf8');
  const answer = answered(random.pick([200, 201, 404, 409, 422, 500]), body);
  for (const read of READERS) {
    const result = read('k:1', answer);
    must(typeof result.kind === 'string', 'no kind');
    for (const text of Object.values(result)) {
      must(
        typeof text !== 'string' || (text.length <= MAX_TEXT && !/[\p{Cc}\p{Bidi_C}]/u.test(text)),
        `unsafe: ${text}`,
      );
    }
    if (result.kind !== 'observed' || answer.status >= 300) continue;
    const { asOf, echoed } = result;
    must(Number.isFinite(asOf) && body.includes('k:1'), 'it is of another key, or of no time');
    must(echoed?.amount === undefined || echoed.amount.minor >= 0n, 'an amount below nothing');
  }
};

export const TARGETS: Readonly<Record<string, Target>> = {
  batches,
  avro,
  headers,
  notes,
  ndjson,
  intents,
  provider,
  lists,
};

/** Runs one case. @throws with the words to run it again */
export async function runCase(target: string, seed: number): Promise<void> {
  try {
    await TARGETS[target]!(seeded(seed));
  } catch (error) {
    throw new Error(`${target}, seed ${seed}: ${(error as Error).message}`, { cause: error });
  }
}
