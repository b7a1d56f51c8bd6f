// Snapshots of what limits count, over the log: written by a command, read before a rebuild. Two take turns, so that one is whole
// while the other is written; what is not whole, sealed and of one piece counts for nothing.
import { randomUUID } from 'node:crypto';
import type { LogReader } from '../ports/log.ts';
import { recordMaker } from '../ports/records.ts';
import { sealFlaw } from '../ports/seals.ts';
import type { LedgerEntry } from '../processors/limits/rebuild.ts';
import type { LimitsSnapshot } from '../schemas/types.generated.ts';
import { limitsSnapshots as contract } from '../topics/boundary.ts';
import type { Connections } from './connections.ts';

const TOPIC = contract.name;
const OWNER = 'limits-snapshot';
/** Uses of one part: about 300 bytes each, so that a part is far below what the broker takes. */
const PART_USES = 1_500;
const PART_TRANSFERS = 1_500;
/** Parts that are sent at once. */
const SENT_AT_ONCE = 8;

type Parts = Pick<Connections, 'log' | 'codec'> & { readonly config: Pick<Connections['config'], 'keys'> };
export type SnapshotHead = Pick<
  LimitsSnapshot,
  'snapshotId' | 'takenAt' | 'transfers' | 'missingSince' | 'positions'
> & {
  readonly slot: number;
  readonly parts: number;
};

type SnapshotTerms = Pick<LimitsSnapshot, 'takenAt' | 'missingSince' | 'positions'>;

export interface LimitsSnapshots {
  /** The newest one that is whole; undefined: there is none. */
  latest(): Promise<SnapshotHead | undefined>;
  /** Hands its entries on. @throws Error when it is not whole any more: another was written over it */
  entriesOf(head: SnapshotHead, onEntry: (entry: LedgerEntry) => void): Promise<void>;
  /** Writes one beside the newest; resolves when all of it is acknowledged. */
  write(entries: Iterable<LedgerEntry>, of: SnapshotTerms): Promise<SnapshotHead>;
}

export function limitsSnapshots(parts: Parts): LimitsSnapshots {
  return {
    async latest() {
      const heads = new Map<number, LimitsSnapshot>();
      /** By slot and part: of which snapshot the last record is. */
      const found = new Map<string, string>();
      await eachPart(parts, (part) => {
        if (part.part === 0) heads.set(part.slot, part);
        else found.set(contract.keyOf(part), part.snapshotId);
      });
      const isWhole = ({ slot, parts: count, snapshotId }: LimitsSnapshot) =>
        Array.from({ length: count }, (_, at) => found.get(`${slot}/${at + 1}`)).every((id) => id === snapshotId);
      const whole = [...heads.values()].filter(isWhole);
      return whole.toSorted((one, other) => other.takenAt - one.takenAt)[0];
    },

    async entriesOf({ snapshotId, slot, parts: many, transfers }, onEntry) {
      const seen = new Set<number>();
      let count = 0;
      await eachPart(parts, (part) => {
        // A copy of a part says the same.
        if (part.part === 0 || part.snapshotId !== snapshotId || part.slot !== slot || seen.has(part.part)) return;
        seen.add(part.part);
        count += part.entries.length;
        for (const entry of part.entries) onEntry(entryOf(entry));
      });
      if (seen.size !== many || count !== transfers) throw new Error(`snapshot ${snapshotId} is not whole any more`);
    },

    async write(entries, of) {
      await parts.codec.load([TOPIC]);
      const before = await this.latest();
      return writeTo(before?.slot === 0 ? 1 : 0, parts, entries, of);
    },
  };
}

async function eachPart({ log, codec, config: { keys } }: Parts, use: (part: LimitsSnapshot) => void): Promise<void> {
  await codec.load([TOPIC]);
  const reader: LogReader = log.reader();
  await reader.read(await reader.offsets([TOPIC]), async ({ records }) => {
    const proven = records.filter(
      (record) => !record.unreadable && record.value !== null && sealFlaw(keys, TOPIC, record) === undefined,
    );
    for (const [place, result] of (
      await codec.decode(
        TOPIC,
        proven.map(({ value }) => value),
      )
    ).entries()) {
      // What a newer release wrote is left alone by this one.
      if (result.ok && contract.keyOf(result.value) === proven[place]!.key?.toString('utf8')) use(result.value);
    }
  });
}

/** Parts first, then the head. */
async function writeTo(
  slot: number,
  { log, codec, config: { keys } }: Parts,
  entries: Iterable<LedgerEntry>,
  { takenAt, missingSince, positions }: SnapshotTerms,
): Promise<SnapshotHead> {
  const base = { slot, snapshotId: randomUUID(), takenAt };
  const none = { parts: 0, missingSince: null, positions: [] };
  const make = recordMaker({ owner: OWNER, writes: [contract], codec, rings: keys });
  const writer = await log.writer(OWNER);
  const record = (part: LimitsSnapshot) => make(TOPIC, part, { partition: 0 });
  let [parts, transfers] = [0, 0];
  let waiting: ReturnType<typeof record>[] = [];
  try {
    for (const some of partsOf(entries)) {
      parts += 1;
      transfers += some.length;
      waiting.push(record({ ...base, ...none, part: parts, transfers: some.length, entries: some }));
      if (waiting.length < SENT_AT_ONCE) continue;
      await writer.send(waiting);
      waiting = [];
    }
    if (waiting.length > 0) await writer.send(waiting);
    // Last: until it is there, there is no such snapshot.
    const head = { ...base, part: 0, parts, transfers, missingSince, positions, entries: [] };
    await writer.send([record(head)]);
    return head;
  } finally {
    await writer.close();
  }
}

function* partsOf(entries: Iterable<LedgerEntry>): Iterable<LedgerEntry[]> {
  let part: LedgerEntry[] = [];
  let uses = 0;
  for (const entry of entries) {
    part.push(entry);
    uses += entry.uses.length;
    if (uses < PART_USES && part.length < PART_TRANSFERS) continue;
    yield part;
    [part, uses] = [[], 0];
  }
  if (part.length > 0) yield part;
}

const entryOf = (entry: LimitsSnapshot['entries'][number]): LedgerEntry => ({
  ...entry,
  state: entry.state as LedgerEntry['state'],
  uses: entry.uses.map((use) => ({ ...use, freedByReturn: use.freedByReturn === true })),
});
