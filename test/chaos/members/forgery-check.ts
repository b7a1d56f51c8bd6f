// What became of each forgery, and what of it `corridor verify` must tell.

import type { Log, LogRecord } from '../../../ports/log.ts';
import { consumers, topology } from '../../../processors/topology.ts';
import { fxRateHistory, referenceVersions } from '../../../topics/boundary.ts';
import { contractOf } from '../../../topics/catalogue.ts';
import { FORGED_TOPICS, FORGERY, forgeryOf } from './forgeries.ts';

/** A forgery as it stands in the log. */
export interface Forged {
  readonly id: string;
  readonly topic: string;
  readonly position: string;
  readonly transferId: string;
}

/** A dead letter that bears the mark of a forgery. */
export interface ForgedLetter {
  readonly id: string;
  readonly owner: string;
  readonly code: string;
  readonly position: string;
}

/** A table of a process that runs: how many records on it it did not believe. */
export interface TableSeen {
  readonly process: string;
  readonly topic: string;
  readonly unproven: number;
}

/** Every forgery that really stands in the log: what a writer said of it is no proof. */
export async function forgedIn(log: Log): Promise<readonly Forged[]> {
  const found: Forged[] = [];
  const reader = log.reader();
  await reader.read(await reader.offsets(FORGED_TOPICS), ({ records }) => {
    for (const record of records) {
      const id = record.headers[FORGERY]?.toString();
      if (id !== undefined) found.push(asForged(id, record));
    }
  });
  return found;
}

const asForged = (id: string, { topic, partition, offset, key }: LogRecord): Forged => ({
  id,
  topic,
  position: `${topic}/${partition}/${offset}`,
  transferId: key?.toString() ?? '',
});

const STAGES = Object.entries(topology).map(([name, { reads }]) => ({ name, reads, isStage: true }));
const OTHERS = Object.entries(consumers).map(([name, { reads }]) => ({ name, reads, isStage: false }));

/** Who must put a forgery aside, given that it bears no seal of its issuer. */
function readersOf(topic: string): readonly string[] {
  const owner = [...STAGES, ...OTHERS].find(({ name }) => topic.startsWith(`${name}.re`));
  if (owner && contractOf(topic) === undefined) return [owner.name];
  return [...STAGES, ...OTHERS].filter(({ reads }) => reads.some(({ name }) => name === topic)).map(({ name }) => name);
}

/**
 * What is wrong with what became of the forgeries; empty: each is one dead letter of each of its readers, and no table
 * believed one.
 * @param tampered transfers whose case was tampered with: the sink of cases meets a copy with what it had not written
 */
export function checkForgeries(
  forged: readonly Forged[],
  letters: readonly ForgedLetter[],
  tables: readonly TableSeen[],
  tampered: ReadonlySet<string> = new Set(),
): readonly { readonly subject: string; readonly detail: string }[] {
  const wrong: { subject: string; detail: string }[] = [];
  const byId = Map.groupBy(letters, ({ id }) => id);
  for (const [id, records] of Map.groupBy(forged, ({ id }) => id)) {
    const { topic, position, transferId } = records[0]!;
    if (contractOf(topic)?.kind === 'table') continue;
    const found = byId.get(id) ?? [];
    // A copy bears a true seal: only who has handled its original can know it, and only a stage or the payout executor would act on it again.
    const isCopy = forgeryOf(id) === 'copy';
    const readers = readersOf(topic).filter((name) => !isCopy || name in topology || name === 'payout-executor');
    const expected = isCopy ? /^EVENT_REPEATED$/ : /^SEAL_/;
    for (const reader of readers) {
      const count = found.filter(({ owner }) => owner === reader).length;
      if (count === records.length) continue;
      const detail = `${records.length} at ${position}, and ${count} dead letters of ${reader}: it was honoured, lost or reported twice`;
      wrong.push({ subject: `${topic} ${id}`, detail });
    }
    for (const { owner, code } of found) {
      if (isCopy && owner === 'sink-cases' && code === 'ID_CONFLICT' && tampered.has(transferId)) continue;
      if (!readers.includes(owner) || !expected.test(code))
        wrong.push({ subject: `${topic} ${id}`, detail: `a dead letter of ${owner}: ${code}` });
    }
  }
  return [...wrong, ...believedBy(forged, tables)];
}

/** Tables that no process goes by: who reads them checks their seals. */
const FOR_ANALYSTS: ReadonlySet<string> = new Set([fxRateHistory.name, referenceVersions.name]);

/** Tables are read from their start each time that a process starts: each must have passed over every forgery by now. */
function believedBy(forged: readonly Forged[], tables: readonly TableSeen[]) {
  const onTables = forged.filter(({ topic }) => contractOf(topic)?.kind === 'table' && !FOR_ANALYSTS.has(topic));
  return [...Map.groupBy(onTables, ({ topic }) => topic)].flatMap(([topic, records]) => {
    const seen = tables.filter((table) => table.topic === topic);
    const nobody =
      seen.length === 0 ? [{ subject: topic, detail: 'no process says how much of it it did not believe' }] : [];
    const believers = seen.filter(({ unproven }) => unproven < records.length);
    return [
      ...nobody,
      ...believers.map(({ process, unproven }) => {
        return { subject: topic, detail: `${process} passed over ${unproven} of ${records.length} forgeries` };
      }),
    ];
  });
}
