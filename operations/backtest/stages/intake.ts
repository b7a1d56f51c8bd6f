// Intake again: who an intent is from, what is against it, which rules of data hold it. Claims on ids are taken as they were made.

import { isDisposition } from '../../../processors/contract.ts';
import { isDiscard } from '../../../processors/discard.ts';
import { createIntake, type IntakeOptions } from '../../../processors/intake/processor.ts';
import type { Reason } from '../../../schemas/types.generated.ts';
import { type AnyEvent, asEvent, type Pair } from '../pairs.ts';
import { type Judgement, type Outcome, outcome } from '../report.ts';
import { failed, type Judge } from './judge.ts';

export type IntakeTerms = Pick<
  IntakeOptions,
  'corridors' | 'transferRules' | 'producers' | 'homePartitionOf' | 'tokenKey' | 'timing'
>;

/** Nobody else has the id: whether somebody had is in what was decided then. */
const CLAIMS: IntakeOptions['claims'] = { claim: async (claims) => claims, find: async () => [] };

export function intakeJudge(terms: IntakeTerms): Judge {
  let now = 0;
  const intake = createIntake({ ...terms, claims: CLAIMS, clock: () => now });
  return async (pairs) => {
    const judgements = new Map<Pair, Judgement>();
    let left: readonly Pair[] = pairs.filter((pair) => {
      const taken = takenAsItWas(pair.decided);
      if (taken !== undefined) judgements.set(pair, { kind: 'not-comparable', code: taken });
      return taken === undefined;
    });
    // Two intents with one id are looked at one after the other: neither has the claim of the other.
    while (left.length > 0) {
      const [round, rest] = eachIdOnce(left);
      now = Math.max(...round.map(({ input }) => input.appendedAt));
      const contexts = await intake.prepare(round.map(({ input }) => input) as never);
      round.forEach((pair, i) => {
        const decision = intake.decide(pair.input as never, contexts[i]!);
        const would = isDisposition(decision) ? failed(decision) : outcomeOf(asEvent(decision[0]!));
        judgements.set(pair, judged(pair.decided, would));
      });
      left = rest;
    }
    return pairs.map((pair) => judgements.get(pair)!);
  };
}

function eachIdOnce(pairs: readonly Pair[]): readonly [readonly Pair[], readonly Pair[]] {
  const seen = new Set<string>();
  const [round, rest]: [Pair[], Pair[]] = [[], []];
  for (const pair of pairs) {
    const { transferId } = pair.input.value as { readonly transferId: string };
    (seen.has(transferId) ? rest : round).push(pair);
    seen.add(transferId);
  }
  return [round, rest];
}

/** What intake decided by a claim, or a person by hand. */
function takenAsItWas({ topic, value }: AnyEvent): string | undefined {
  if (topic === 'intent.duplicated') return 'DUPLICATE';
  if (topic !== 'intent.rejected') return undefined;
  if (isDiscard(value.reasons)) return 'ENDED_BY_OPERATORS';
  return value.reasons.some(({ code }) => code === 'DUPL') ? 'ID_TAKEN' : undefined;
}

const codesIn = (reasons: readonly Reason[]): readonly string[] => reasons.map(({ code }) => code);

function judged(then: AnyEvent, would: Outcome): Judgement {
  const was = outcomeOf(then);
  // Whose id it was the claim said, or the producers: only what they say can be asked again.
  const ofAnother = was.codes.includes('PRID') && !would.codes.includes('PRID');
  return ofAnother ? { kind: 'not-comparable', code: 'ID_TAKEN' } : { kind: 'compared', was, would };
}

/** What goes on may still ask for a person: the rules that do are a part of the decision. */
function outcomeOf(event: AnyEvent): Outcome {
  if (event.topic === 'transfer.accepted') return outcome('PASSED', event.value.instruction.reviewRules);
  if (event.topic !== 'intent.rejected') return outcome('DUPLICATED');
  return outcome('REJECTED', [...codesIn(event.value.reasons), ...event.value.brokenRules]);
}
