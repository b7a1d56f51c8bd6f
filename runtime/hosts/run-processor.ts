// What a processor makes of some records: decisions, and rejections of what operators discard.
import { isDiscardReason } from '../../domain/reasons.ts';
import { CodedError } from '../../ports/fault.ts';
import { type AnyProcessor, isDisposition } from '../../processors/contract.ts';
import { refusal, rejectionOf } from '../../processors/discard.ts';
import { stageOf } from '../../processors/lifecycle.ts';
import { headerText, RECOVERY_HEADER } from '../../topics/headers.ts';
import { isReplayTopic } from '../../topics/recovery.ts';
import { failpoint } from '../failpoints.ts';
import { faultOf } from '../fault.ts';
import type { Emitter } from './emit.ts';
import type { AcceptedRecord, InboundRecord } from './inbound-records.ts';
import type { Outcome } from './isolate.ts';

/** The reason for which operators end what this record was put aside for; undefined: it is to be decided. */
export const discardReasonOf = ({ record }: Pick<InboundRecord, 'record'>): string | undefined =>
  isReplayTopic(record.topic) ? headerText(record.headers, RECOVERY_HEADER.discardReason) : undefined;

/** One outcome per record, in order. A record that breaks `decide` or its schema is poison by itself. */
export async function runProcessor(
  processor: AnyProcessor,
  emit: Emitter,
  items: readonly AcceptedRecord[],
): Promise<Outcome[]> {
  const discards = items.filter((item) => discardReasonOf(item) !== undefined);
  if (discards.length === 0) return decideAll(processor, emit, items);
  const decided = items.filter((item) => discardReasonOf(item) === undefined);
  const [outcomes, ends] = [
    decided.length > 0 ? await decideAll(processor, emit, decided) : [],
    await endAll(processor, emit, discards),
  ];
  const [nextOutcome, nextEnd] = [outcomes.values(), ends.values()];
  return items.map((item) => (discardReasonOf(item) === undefined ? nextOutcome : nextEnd).next().value as Outcome);
}

async function decideAll(processor: AnyProcessor, emit: Emitter, items: readonly AcceptedRecord[]): Promise<Outcome[]> {
  const contexts = await processor.prepare(items.map((item) => item.received));
  await failpoint(`${processor.name}.after-prepare`);
  if (contexts.length !== items.length) throw missing(processor, 'prepare', contexts.length, items.length);
  return items.map((item, i) =>
    guarded((): Outcome => {
      const decision = processor.decide(item.received, contexts[i]);
      return isDisposition(decision) ? decision : { kind: 'done', outputs: emit(item, decision as never) };
    }),
  );
}

/** Letters of these classes are of no transfer that waits for them: one of them must not end it. */
const OF_NOBODY: ReadonlySet<string | undefined> = new Set(['unproven', 'repeated']);

async function endAll(processor: AnyProcessor, emit: Emitter, items: readonly AcceptedRecord[]): Promise<Outcome[]> {
  const refusals = items.map((item) => refusalOf(processor, item));
  const asked = items.filter((_, i) => refusals[i] === undefined);
  const answers = asked.length > 0 ? await processor.discardable!(asked.map(({ received }) => received)) : [];
  await failpoint(`${processor.name}.after-prepare`);
  if (answers.length !== asked.length) throw missing(processor, 'discardable', answers.length, asked.length);
  const next = answers.values();
  return items.map((item, i) => {
    const refused = refusals[i];
    if (refused) return refused;
    const answer = next.next().value!;
    if (answer.kind === 'dead-letter') return answer;
    if (answer.kind === 'nothing') return { kind: 'done', outputs: [] };
    const terms = { ...answer, stage: stageOf(processor.name), code: discardReasonOf(item) as never };
    return guarded(() => ({ kind: 'done', outputs: emit(item, [rejectionOf(item.received, terms)]) }));
  });
}

function refusalOf(processor: AnyProcessor, item: AcceptedRecord): Outcome | undefined {
  const refused = (detail: string): Outcome => ({ kind: 'dead-letter', cause: refusal(detail) });
  if (!processor.discardable) return refused('what this stage handles may have been paid: it cannot be discarded');
  if (!isDiscardReason(discardReasonOf(item)!)) return refused('a reason for which nothing is discarded');
  const letterClass = headerText(item.record.headers, RECOVERY_HEADER.deadLetterClass);
  return OF_NOBODY.has(letterClass) ? refused(`a letter of class ${letterClass} stops no transfer`) : undefined;
}

function guarded(run: () => Outcome): Outcome {
  try {
    return run();
  } catch (error) {
    const fault = faultOf(error);
    if (fault.faultClass !== 'poison') throw error;
    return { kind: 'poison', fault };
  }
}

function missing({ name }: AnyProcessor, step: string, given: number, asked: number): CodedError {
  const detail = `${name}.${step} gave ${given} contexts for ${asked} records`;
  return new CodedError('CONTEXTS_MISSING', detail, { faultClass: 'fatal' });
}
