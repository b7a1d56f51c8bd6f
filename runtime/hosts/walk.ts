// Walks the records of a batch in order until the first that must not be passed: what is done, and why it goes no further.

import type { OutputRecord, RecordBatch } from '../../ports/log.ts';
import type { Cause } from '../../processors/contract.ts';
import { contractOf } from '../../topics/catalogue.ts';
import type { Fault } from '../fault.ts';
import { type BreakerVerdict, breakerEntry, type DeadLetterBreaker } from '../retries-and-dead-letters/breaker.ts';
import type { DeadLetterClass } from '../retries-and-dead-letters/recovery-records.ts';
import type { Judge, Judged } from './dispositions.ts';
import type { InboundRecord } from './inbound-records.ts';
import type { Isolated, Outcome } from './isolate.ts';

/** Why a walk ended: it came through, consumption must stop, or the next record was not handled for a fault. */
export type WalkEnd =
  | { readonly kind: 'through' }
  | { readonly kind: 'stop'; readonly cause: Cause; readonly inbound?: InboundRecord }
  | { readonly kind: 'fault'; readonly fault: Fault };

export interface Walked {
  readonly outputs: readonly OutputRecord[];
  readonly judged: readonly Judged[];
  /** Offset of the last record that is done; undefined: none is. */
  readonly doneThrough: number | undefined;
  readonly end: WalkEnd;
}

const THROUGH: WalkEnd = { kind: 'through' };

/**
 * @param isolated the outcomes of the accepted records, in order; where a fault ended them, those before it
 * @returns what to commit. The dead letters in a row that open the breaker are not in it.
 */
export function walk(
  batch: RecordBatch,
  inboundRecords: readonly InboundRecord[],
  { outcomes, fault }: Isolated,
  { judge, breaker }: { readonly judge: Judge; readonly breaker: DeadLetterBreaker },
): Walked {
  const here = `${batch.topic}/${batch.partition}`;
  const outputs: OutputRecord[] = [];
  const judged: Judged[] = [];
  let doneThrough: number | undefined;
  let next = 0;
  // Where the present run of dead letters began: it is not written when it opens the breaker.
  let run: { outputs: number; judged: number; doneThrough: number | undefined } | undefined;
  const ended = (end: WalkEnd): Walked => ({ outputs, judged, doneThrough, end });

  for (const inbound of inboundRecords) {
    const { refusal } = inbound;
    if (refusal?.kind === 'stop') return ended({ kind: 'stop', cause: refusal });
    const outcome: Outcome | undefined = refusal ? undefined : outcomes[next++];
    if (!refusal && outcome === undefined) return ended({ kind: 'fault', fault: fault! });
    if (outcome?.kind === 'stop') return ended({ kind: 'stop', cause: outcome.cause, inbound });
    const verdict = judge(batch, inbound, outcome);
    if (verdict.deadLetter) {
      const before = { outputs: outputs.length, judged: judged.length, doneThrough };
      run ??= before;
      const opened = isAlone(breaker, inboundRecords, outcomes)
        ? breaker.open('none of the records at hand goes through since the processor was started again')
        : counted(breaker, here, inbound, verdict.deadLetter);
      if (opened) {
        const keep = opened.reason === 'run' ? run : before;
        outputs.length = keep.outputs;
        judged.length = keep.judged;
        doneThrough = keep.doneThrough;
        return ended({ kind: 'stop', cause: { code: 'DLQ_BREAKER_OPEN', detail: opened.detail } });
      }
    } else {
      run = undefined;
      breaker.record(here, inbound.record.offset, 'fine');
    }
    for (const output of verdict.outputs) outputs.push(output);
    doneThrough = inbound.record.offset;
    judged.push(verdict);
  }
  return ended(THROUGH);
}

/** After a restart of a breaker that had opened: nothing went through yet, and nothing of this batch does. */
function isAlone(
  breaker: DeadLetterBreaker,
  inboundRecords: readonly InboundRecord[],
  outcomes: readonly Outcome[],
): boolean {
  if (!breaker.unproven) return false;
  if (inboundRecords.some(({ refusal, source }) => refusal && isFromOutside(source.topic))) return false;
  return outcomes.every(({ kind }) => kind === 'poison' || kind === 'dead-letter');
}

function counted(
  breaker: DeadLetterBreaker,
  here: string,
  { record, source }: InboundRecord,
  deadLetterClass: DeadLetterClass,
): BreakerVerdict {
  return breaker.record(here, record.offset, breakerEntry(deadLetterClass, isFromOutside(source.topic)));
}

const isFromOutside = (topic: string) => contractOf(topic)?.kind === 'intent';
