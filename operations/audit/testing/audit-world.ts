// A log in memory with a sequencer, for tests of the audit log.
import { signingKeyOf } from '../../../domain/audit/signed-note.ts';
import type { OutputRecord, RecordBatch } from '../../../ports/log.ts';
import { AUDIT_SEQUENCER } from '../../../processors/topology.ts';
import type { AuditEntry } from '../../../schemas/types.generated.ts';
import { ManualClock } from '../../../test/kit/manual-clock.ts';
import { memoryCodec } from '../../../test/kit/memory-codec.ts';
import { type CrashPlan, MemoryLog } from '../../../test/kit/memory-log.ts';
import { testRings } from '../../../test/kit/rings.ts';
import type { Act } from '../entry.ts';
import { entryLog } from '../entry-log.ts';
import { ENTRIES, LOG } from '../names.ts';
import { createSequencer } from '../sequencer.ts';
import { type AuditVerifySources, verifyAudit } from '../verify.ts';

export const KEY = signingKeyOf('corridor.test/audit', Buffer.alloc(32, 7));

/** An act of Asha's on the nth case. */
export const actOn = (n: number): Act => ({
  who: { subject: 'asha', roles: ['operator'], credential: 'TOKEN' },
  action: 'cases.decide',
  on: { kind: 'cases', id: `case-${n}`, isKnown: true },
  outcome: 'DONE',
});

export class AuditWorld {
  readonly clock = new ManualClock();
  readonly codec = memoryCodec();
  readonly log: MemoryLog;
  readonly #batch: number;
  #ids = 0;

  constructor(options: { readonly batch?: number; readonly crash?: CrashPlan } = {}) {
    this.#batch = options.batch ?? 4;
    this.log = new MemoryLog({
      partitions: 1,
      clock: this.clock,
      manual: true,
      ...(options.crash && { crash: options.crash }),
    });
  }

  /** The way of a program into the log. */
  readonly entries = entryLog({
    program: 'test',
    codec: this.codec,
    writer: { send: async (records) => this.log.append(records) },
    rings: testRings,
    clock: this.clock,
    newId: () => `00000000-0000-4000-8000-${String(this.#ids++).padStart(12, '0')}`,
  });

  recordsOf(from: number, to: number): readonly OutputRecord[] {
    return this.entries.recordsOf(Array.from({ length: to - from }, (_, i) => actOn(from + i)));
  }

  handler() {
    return createSequencer({
      codec: this.codec,
      rings: testRings,
      reader: this.log.reader(),
      signingKeys: [KEY],
      publicKeys: [],
      clock: this.clock,
    });
  }

  /** Runs a new sequencer until there is nothing to do; what it was made to crash by is how it ends. */
  async sequence(): Promise<Error | undefined> {
    const consumer = await this.log.consume({
      name: AUDIT_SEQUENCER,
      topics: [ENTRIES],
      delivery: 'exactly-once',
      maxBatchRecords: this.#batch,
      lingerMs: 0,
      handler: this.handler(),
      onFault: () => undefined,
    });
    return consumer.untilIdle(this.clock);
  }

  /** The batch that a consumer which knows nothing of the commits since would be handed. */
  batchAt(from: number, note: string): RecordBatch {
    return {
      topic: ENTRIES,
      partition: 0,
      records: this.log.records(ENTRIES, 0).slice(from, from + this.#batch),
      note,
    };
  }

  async logged(): Promise<readonly AuditEntry[]> {
    const decoded = await this.codec.decode(
      ENTRIES,
      this.log.records(LOG, 0).map(({ value }) => value),
    );
    return decoded.map((result) => (result as { value: AuditEntry }).value);
  }

  verify(more: Partial<AuditVerifySources> = {}) {
    return verifyAudit({
      codec: this.codec,
      reader: this.log.reader(),
      rings: testRings,
      keys: [KEY.verifies],
      sequencedUpTo: this.log.committed(`corridor.${AUDIT_SEQUENCER}`, ENTRIES, 0),
      ...more,
    });
  }
}
