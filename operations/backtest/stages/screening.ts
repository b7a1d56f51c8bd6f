// Screening again, against the lists of then, or others in their place. What an exception excused then is excused, and no more.
import type { KeyRing } from '../../../domain/seals/seal.ts';
import { isDisposition } from '../../../processors/contract.ts';
import { isDiscard } from '../../../processors/discard.ts';
import { createScreening } from '../../../processors/screening/processor.ts';
import type { ListReference, ScreeningEvidence } from '../../../schemas/types.generated.ts';
import { tokensOf } from '../../../screening/counterparties.ts';
import { applyExceptions, type ScreeningException } from '../../../screening/exceptions.ts';
import type { Findings, Screener, ScreeningRequest } from '../../../screening/ports.ts';
import { worstOf } from '../../../screening/screened-party.ts';
import { type AnyEvent, asEvent, type Pair } from '../pairs.ts';
import { type Judgement, type Outcome, outcome } from '../report.ts';
import { failed, type Judge } from './judge.ts';

export interface ScreeningTermsOfNow {
  /** Screens against these versions, without exceptions. */
  readonly screenerOf: (lists: readonly ListReference[]) => Promise<Pick<Screener, 'screen'>>;
  /** In the place of those of then, by source. */
  readonly lists: readonly ListReference[];
  /** A hold is sealed as the stage seals it. */
  readonly stages: KeyRing;
}

export function screeningJudge({ screenerOf, lists, stages }: ScreeningTermsOfNow): Judge {
  return async (pairs) => {
    const judgements = new Map<Pair, Judgement>();
    const looked = pairs.flatMap((pair) => {
      const evidence = evidenceIn(pair.decided);
      if (evidence === undefined) judgements.set(pair, { kind: 'not-comparable', code: 'ENDED_BY_OPERATORS' });
      return evidence === undefined ? [] : [{ pair, evidence, lists: inForce(evidence.lists, lists) }];
    });
    const groups = Map.groupBy(looked, (each) => each.lists.map(({ versionId }) => versionId).join(' '));
    for (const group of groups.values()) {
      const screener = await screenerOf(group[0]!.lists);
      const evidences = group.map(({ evidence }) => evidence);
      const inputs = group.map(({ pair }) => pair.input);
      const stage = createScreening({
        screener: { screen: (requests) => screened(screener, requests, evidences), recheck: async () => [] },
        holds: { claim: async (claims) => claims },
        keys: { stages, operators: stages, needsTwo: () => [] },
        clock: () => inputs[0]!.appendedAt,
      });
      const contexts = await stage.prepare(inputs as never);
      group.forEach(({ pair }, i) => {
        const decision = stage.decide(pair.input as never, contexts[i]!);
        const would = isDisposition(decision) ? failed(decision) : outcomeOf(asEvent(decision[0]!));
        judgements.set(pair, { kind: 'compared', was: outcomeOf(pair.decided), would });
      });
    }
    return pairs.map((pair) => judgements.get(pair)!);
  };
}

/** Undefined where the stage has not looked: people ended it. */
function evidenceIn({ topic, value }: AnyEvent): ScreeningEvidence | undefined {
  if (topic === 'transfer.screened') return value.screening;
  if (topic === 'transfer.held') return value.screening ?? undefined;
  if (topic === 'transfer.rejected' && !isDiscard(value.reasons)) return value.screening ?? undefined;
  return undefined;
}

function inForce(then: readonly ListReference[], instead: readonly ListReference[]): readonly ListReference[] {
  const bySource = new Map([...then, ...instead].map((list) => [list.source, list]));
  return [...bySource.values()].toSorted((one, other) => (one.source < other.source ? -1 : 1));
}

/** What the screener finds, excused as the evidence says. The requests are those of the evidences, in order. */
async function screened(
  screener: Pick<Screener, 'screen'>,
  requests: readonly ScreeningRequest[],
  evidences: readonly ScreeningEvidence[],
): Promise<readonly Findings[]> {
  const found = await screener.screen(requests);
  return found.map((findings, i) => {
    const tokens = tokensOf(requests[i]!.instruction);
    const excused = exceptionsIn(evidences[i]!, tokens);
    if (excused.length === 0) return findings;
    const parties = applyExceptions(findings.parties, excused, tokens);
    return { ...findings, parties, outcome: worstOf(parties) };
  });
}

const exceptionsIn = ({ parties }: ScreeningEvidence, tokens: readonly string[]): readonly ScreeningException[] =>
  parties.flatMap(({ candidates }, place) =>
    candidates.flatMap(({ exceptionId, source, entityId, entity }): readonly ScreeningException[] => {
      const token = tokens[place];
      if (exceptionId === null || entity === null || token === undefined) return [];
      const { entityHash } = entity;
      const unsaid = { expiresAt: Number.POSITIVE_INFINITY, grantedBy: '', reason: '' };
      return [{ exceptionId, token, source, entityId, entityHash, ...unsaid }];
    }),
  );

/** A hold for another entity is another decision. */
function outcomeOf(event: AnyEvent): Outcome {
  if (event.topic !== 'transfer.held') return outcome(event.topic === 'transfer.screened' ? 'PASSED' : 'REJECTED');
  const { hold, screening } = event.value;
  const hits = (screening?.parties ?? []).flatMap(({ candidates }) => candidates.filter(({ isHit }) => isHit));
  const entities = hits.map(({ source, entityId }) => `${source}/${entityId}`);
  return outcome('HELD', [...hold.reasons.map(({ code }) => code), screening?.outcome ?? 'UNKNOWN', ...entities]);
}
