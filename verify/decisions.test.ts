// A decision that names an approval is reported where that approval does not let it be.
import { expect, it } from 'vitest';
import { sealDecision } from '../processors/holds.ts';
import type { ReviewDecided } from '../schemas/types.generated.ts';
import { KEYS } from '../test/kit/keys.ts';
import type { ApprovedDecision } from './ports.ts';
import { History } from './testing/history.ts';
import { AT_ONCE, entryOf } from './testing/plant.ts';
import { verify } from './verify.ts';

const APPROVED = { hash: 'h', askedBy: 'amara', approvedBy: 'bela', glass: undefined };

/** One hold that was approved, by a decision that says so much of its approval. */
async function codesOf(
  second: Partial<ReviewDecided>,
  approved?: Partial<ApprovedDecision>,
): Promise<readonly string[]> {
  const history = new History();
  history.tell('approved');
  const entry = entryOf(history, 'review.decided');
  const value: ReviewDecided = { ...entry.value, ...second };
  const { issuedBy: decidedBy, issuedAt: decidedAt } = value.command;
  entry.value = { ...value, seal: sealDecision(KEYS.operators, { ...value, decidedBy, decidedAt }) };
  history.fillStores();
  const known = { subject: value.holdId, ...APPROVED, ...approved };
  const sources = {
    ...history.sources(),
    approvedDecisions: async (ids: readonly string[]) => new Map(ids.includes('a') ? [['a', known]] : []),
  };
  return Object.keys((await verify(sources, AT_ONCE)).codes);
}
const by = { agreedBy: 'bela', approvalId: 'a', approvalHash: 'h' };

it('a decision is in order that its approval lets be, that of one person, and one of before approvals were named', async () => {
  expect(await codesOf(by)).toEqual([]);
  expect(await codesOf({})).toEqual([]);
  expect(await codesOf({ agreedBy: 'bela' })).toEqual([]);
  const glass = { glass: 'g', approvalId: 'a', approvalHash: 'h' };
  expect(await codesOf(glass, { approvedBy: 'amara', glass: 'g' })).toEqual([]);
});

it.each<[string, Partial<ReviewDecided>, Partial<ApprovedDecision>]>([
  ['an approval that there is not', { ...by, approvalId: 'b' }, {}],
  ['one of another hold', by, { subject: 'another' }],
  ['one of another content', by, { hash: 'i' }],
  ['one that somebody else asked for', by, { askedBy: 'carl' }],
  ['one that somebody else let through', by, { approvedBy: 'carl' }],
  ['one under another glass', { glass: 'g', approvalId: 'a', approvalHash: 'h' }, { glass: 'x' }],
])('a decision that names %s is reported', async (_, second, approved) => {
  expect(await codesOf(second, approved)).toEqual(['DECISION_NOT_APPROVED']);
});
