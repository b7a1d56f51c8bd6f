// Everything that somebody can do to the log, and how it is found.
import { describe, expect, it } from 'vitest';
import { checkpointIn, checkpointText } from '../../domain/audit/checkpoint.ts';
import { EMPTY_ROOT, leafHash } from '../../domain/audit/merkle.ts';
import { type SigningKey, signedNote, signingKeyOf } from '../../domain/audit/signed-note.ts';
import type { LogRecord } from '../../ports/log.ts';
import { testRings } from '../../test/kit/rings.ts';
import { auditFindingCodes } from './finding-codes.ts';
import { AUDIT_HEADER, CHECKPOINTS, ENTRIES, LOG } from './names.ts';
import { AuditWorld, KEY } from './testing/audit-world.ts';

/** 20 entries under 5 checkpoints. */
async function world(): Promise<AuditWorld> {
  const made = new AuditWorld({ batch: 4 });
  made.log.append(made.recordsOf(0, 20));
  await made.sequence();
  return made;
}

/** The records themselves: who has the topic changes them as he likes. */
const recordsOf = (from: AuditWorld, topic: string) => from.log.records(topic, 0) as LogRecord[];

const edit = (records: LogRecord[], at: number, change: Partial<LogRecord>) => {
  records[at] = { ...records[at]!, ...change };
};

const renumber = (records: LogRecord[]) => {
  records.forEach((record, place) => {
    edit(records, place, { headers: { ...record.headers, [AUDIT_HEADER.index]: Buffer.from(String(place)) } });
  });
};

const checkpointRecord = (from: AuditWorld, size: number, root: Buffer, key: SigningKey) => ({
  topic: CHECKPOINTS,
  partition: 0,
  key: 'corridor.test/audit',
  value: from.codec.encode(CHECKPOINTS, {
    note: signedNote(checkpointText({ origin: 'corridor.test/audit', size, root }), [key]),
  }),
  headers: {},
});

const TAMPERING: Record<string, readonly [(on: AuditWorld) => void, readonly string[]]> = {
  'changes an entry': [
    (on) => {
      const records = recordsOf(on, LOG);
      const value = Buffer.from(records[9]!.value!);
      value[value.length - 1]! ^= 2;
      edit(records, 9, { value });
    },
    ['ENTRY_NOT_SEALED', 'LOG_DIFFERS'],
  ],
  'changes an entry and has the key of the programs': [
    (on) => {
      const records = recordsOf(on, LOG);
      const [other] = on.recordsOf(99, 100);
      const { seal } = other!.headers;
      const headers = { ...records[9]!.headers, seal: Buffer.from(String(seal)) };
      edit(records, 9, { key: Buffer.from(String(other!.key)), value: other!.value, headers });
    },
    ['ENTRY_LEFT_OUT', 'LOG_DIFFERS'],
  ],
  'takes an entry away': [
    (on) => recordsOf(on, LOG).splice(9, 1),
    ['ENTRY_LEFT_OUT', 'ENTRY_MISPLACED', 'LOG_CUT', 'LOG_DIFFERS'],
  ],
  'takes an entry away and numbers the others anew': [
    (on) => {
      recordsOf(on, LOG).splice(9, 1);
      renumber(recordsOf(on, LOG));
    },
    ['ENTRY_LEFT_OUT', 'LOG_CUT', 'LOG_DIFFERS'],
  ],
  'has two entries change places': [
    (on) => {
      const records = recordsOf(on, LOG);
      [records[9], records[10]] = [records[10]!, records[9]!];
      renumber(records);
    },
    ['LOG_DIFFERS'],
  ],
  'writes an entry twice': [
    (on) => {
      const records = recordsOf(on, LOG);
      records.splice(9, 0, records[3]!);
      renumber(records);
    },
    ['ENTRY_REPEATED', 'ENTRY_UNSIGNED', 'LOG_DIFFERS'],
  ],
  'cuts the end off': [(on) => recordsOf(on, LOG).splice(18), ['ENTRY_LEFT_OUT', 'LOG_CUT']],
  'cuts the end off, with its checkpoints': [
    (on) => {
      recordsOf(on, LOG).splice(16);
      recordsOf(on, CHECKPOINTS).splice(4);
    },
    ['ENTRY_LEFT_OUT'],
  ],
  'adds an entry': [
    (on) => on.log.append([{ ...on.recordsOf(50, 51)[0]!, topic: LOG }]),
    ['ENTRY_MISPLACED', 'ENTRY_UNSIGNED'],
  ],
  'adds an entry without the key of any program': [
    (on) => on.log.append([{ ...on.recordsOf(50, 51)[0]!, topic: LOG, headers: { [AUDIT_HEADER.index]: '20' } }]),
    ['ENTRY_NOT_SEALED', 'ENTRY_UNSIGNED'],
  ],
  'adds a checkpoint under a key of his own': [
    (on) =>
      on.log.append([
        checkpointRecord(on, 20, leafHash(Buffer.from('x')), signingKeyOf('corridor.test/audit', Buffer.alloc(32, 8))),
      ]),
    ['CHECKPOINT_NOT_SIGNED'],
  ],
  'signs another history under the true key': [
    (on) => on.log.append([checkpointRecord(on, 20, leafHash(Buffer.from('x')), KEY)]),
    ['CHECKPOINT_FORKED'],
  ],
  'signs a smaller log under the true key': [
    (on) => on.log.append([checkpointRecord(on, 0, EMPTY_ROOT, KEY)]),
    ['CHECKPOINT_FORKED'],
  ],
  'takes all checkpoints away': [(on) => recordsOf(on, CHECKPOINTS).splice(0), ['CHECKPOINTS_GONE']],
  'damages a record': [
    (on) => edit(recordsOf(on, LOG), 9, { value: null }),
    ['ENTRY_LEFT_OUT', 'ENTRY_MISPLACED', 'ENTRY_UNREADABLE', 'LOG_CUT', 'LOG_DIFFERS'],
  ],
};

describe('verifying', () => {
  it('finds nothing in a log that nobody touched, and says what waits', async () => {
    const on = await world();
    on.log.append(on.recordsOf(20, 22));
    expect(await on.verify()).toMatchObject({
      isVerified: true,
      entries: 20,
      checkpoints: 5,
      waiting: 2,
      findings: [],
    });
    expect(await new AuditWorld().verify()).toMatchObject({ isVerified: true, entries: 0, newest: undefined });
  });

  it.each(Object.entries(TAMPERING))('finds that somebody %s', async (_, [tamper, codes]) => {
    const on = await world();
    tamper(on);
    const { counts, isVerified, findings } = await on.verify();
    expect(Object.keys(counts).sort()).toEqual(codes);
    expect(isVerified).toBe(false);
    for (const { code } of findings) expect(auditFindingCodes[code].toDo).not.toBe('');
  });

  it('says between which entries the log differs', async () => {
    const on = await world();
    edit(recordsOf(on, LOG), 9, { value: recordsOf(on, LOG)[2]!.value });
    const { findings } = await on.verify();
    expect(findings.find(({ code }) => code === 'LOG_DIFFERS')).toMatchObject({
      at: 8,
      detail: 'between entry 8 and entry 11',
    });
  });

  it('by a checkpoint that was kept elsewhere finds a history that was written anew under the true key', async () => {
    const on = await world();
    const { newest } = await on.verify();
    const kept = [checkpointIn(checkpointText(newest!))!];
    expect(await on.verify({ kept })).toMatchObject({ isVerified: true });
    const another = await world();
    const anew = new AuditWorld({ batch: 4 });
    anew.log.append(another.recordsOf(100, 124));
    await anew.sequence();
    expect(await anew.verify()).toMatchObject({ isVerified: true });
    expect(await anew.verify({ kept })).toMatchObject({ counts: { KEPT_CHECKPOINT_DIFFERS: 1 } });
    expect(await new AuditWorld().verify({ kept })).toMatchObject({ counts: { KEPT_CHECKPOINT_DIFFERS: 1 } });
  });

  it('finds an index that shows another entry, or one that there is not', async () => {
    const on = await world();
    const logged = await on.logged();
    const leaves = recordsOf(on, LOG).map(({ value }, index) => ({
      index,
      leafHash: leafHash(value!),
      entry: { ...logged[index]! },
    }));
    const indexOf = (given: typeof leaves) => ({
      index: (async function* () {
        yield* given;
      })(),
    });
    expect(await on.verify(indexOf(leaves))).toMatchObject({ isVerified: true });
    expect(await on.verify(indexOf(leaves.slice(0, 12)))).toMatchObject({ isVerified: true });
    const changed = leaves.with(3, { ...leaves[3]!, entry: { ...logged[3]!, subject: 'mallory' } });
    expect(await on.verify(indexOf(changed))).toMatchObject({ counts: { INDEX_DIFFERS: 1 } });
    const more = [...leaves, { ...leaves[0]!, index: 20 }];
    expect(await on.verify(indexOf(more))).toMatchObject({ counts: { INDEX_DIFFERS: 1 } });
  });

  it('needs no key of the programs to know that an entry was changed', async () => {
    const on = await world();
    edit(recordsOf(on, LOG), 19, { value: recordsOf(on, LOG)[2]!.value });
    const { counts } = await on.verify({ rings: { ...testRings, audit: { ...testRings.audit, believesAll: true } } });
    expect(Object.keys(counts)).toEqual(['LOG_DIFFERS']);
    expect(recordsOf(on, ENTRIES)).toHaveLength(20);
  });
});
