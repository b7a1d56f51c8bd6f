// The evidence as a compliance officer reads it.
import { beforeAll, expect, it } from 'vitest';
import type { Parties, ReviewOutcome, ScreeningEvidence } from '../schemas/types.generated.ts';
import { AT, intermediary, transferAccepted } from '../test/kit/builders.ts';
import {
  listedPerson,
  type MemoryLists,
  memoryLists,
  nextVersion,
  screenerOver,
} from '../test/kit/memory-screening.ts';
import { withRecheck, withReview } from './evidence.ts';
import { explainEvidence } from './explain-evidence.ts';
import { entityHash, type ListVersion } from './lists/index.ts';
import { loadSampleList } from './lists/sample/load.ts';
import { requestOf } from './requests.ts';

let list: ListVersion;
let lists: MemoryLists;
beforeAll(async () => {
  list = await loadSampleList();
  lists = memoryLists();
  await lists.put(list);
});

const accepted = transferAccepted({
  debtor: { name: 'Anatoli Vorskov', birthDate: '1961' },
  intermediaries: [
    intermediary({ role: 'CREDITOR_AGENT', kind: 'ORGANISATION', name: 'Sahyadri Settlement Bank' }),
    intermediary({ name: '\u{1F98A}' }),
  ],
});
const parties = (accepted.parties as { 'corridor.Parties': Parties })['corridor.Parties'];
const review: ReviewOutcome = {
  holdId: 'h',
  decision: 'APPROVE',
  decidedBy: 'amara',
  decidedAt: AT + 60_000,
  evidenceHash: 'e',
  justification: 'born elsewhere',
};

it('tells who was compared with whom, why it was held, who decided, and what came later', async () => {
  const screener = screenerOver(lists);
  const request = requestOf(accepted)!;
  const [findings] = await screener.screen([request]);
  const reviewed = withReview({ ...findings!, screenedAt: AT, review: null }, review);
  await lists.put(nextVersion(list, [...list.entities, listedPerson('7001', 'Ravi Kulkarni')], '2026-11-22'));
  const [difference] = await screener.recheck([{ request, covered: reviewed.lists }]);
  const look = { ...difference!, reason: 'DISPATCH', screenedAt: AT + 120_000, review: null } as const;
  const text = explainEvidence(withRecheck(reviewed, look), parties).join('\n');
  for (const line of [
    'Result: possible match: held for a person to decide',
    'Sender "Anatoli Vorskov": possible match: held for a person to decide',
    /CORRIDOR 9001 "VORSKOV, Anatoly Grigoryevich", person: 8\d\.\d % alike, a match from 75\.0 %: a match/,
    'date of birth: the same as far as both are known (+2.0 %)',
    'country: not the same (-8.0 %)',
    'Beneficiary "Ravi Kulkarni": no match\n  Nobody on the lists comes near.',
    'Intermediary 1 (the beneficiary\'s bank) "Sahyadri Settlement Bank": no match',
    'Intermediary 2 (the money is for them in the end) "\u{1F98A}": the name could not be compared',
    'The name holds no letter or digit that could be compared.\n\nReview:',
    'Review: approved by amara on 2026-11-23T09:01:00.000Z: born elsewhere',
    'Looked at again before the payout was asked for on 2026-11-23T09:02:00.000Z, because newer lists were in force',
    /CORRIDOR, published 2026-11-22 \(CORRIDOR-2026-11-22-/,
    'Beneficiary "Ravi Kulkarni": possible match: held for a person to decide',
    'Made again from this evidence: the same decision.',
  ]) {
    if (typeof line === 'string') expect(text).toContain(line);
    else expect(text).toMatch(line);
  }
});

it('names the exception that excused a match, and what does not come out as recorded', async () => {
  const own = memoryLists();
  await own.put(list);
  const entity = list.entities.find(({ sourceId }) => sourceId === '9001')!;
  own.exceptions.push({
    exceptionId: 'X-1',
    token: accepted.instruction.debtorToken,
    source: 'CORRIDOR',
    entityId: '9001',
    entityHash: entityHash(entity),
    expiresAt: AT + 1,
    grantedBy: 'amara',
    reason: 'another date of birth',
  });
  const [findings] = await screenerOver(own).screen([requestOf(accepted)!]);
  const evidence: ScreeningEvidence = { ...findings!, screenedAt: AT, review: null };
  expect(explainEvidence(evidence, parties).join('\n')).toContain('would be a match; excused by exception X-1');
  const text = explainEvidence({ ...evidence, outcome: 'CLEAR' }, parties).join('\n');
  expect(text).toContain('NOT the same decision');
  expect(text).toContain('the outcome would be UNSCREENABLE, not CLEAR');
});

it('tells what sets nearly the same name apart, with the date as the list gives it', async () => {
  const far = transferAccepted({ debtor: { name: 'Anatoly Grigoryevich Vorskov', birthDate: '1999-04-02' } });
  const [findings] = await screenerOver(lists).screen([requestOf(far)!]);
  const text = explainEvidence({ ...findings!, screenedAt: AT, review: null }, undefined).join('\n');
  expect(text).toMatch(/CORRIDOR 9001 .* not a match/);
  expect(text).toMatch(/date of birth: many years apart \(-40\.0 %\); listed: 1961-03-12/);
  expect(text).toContain('The names are nearly the same. What tells the two apart: date of birth');
});
