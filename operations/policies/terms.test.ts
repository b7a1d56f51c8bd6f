// Terms change by two persons, as any policy: what does not fit the corridors is refused, and who approves sees each row.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { CORRIDORS } from '../../domain/corridors/corridor-table.ts';
import { BUILT_IN_TERMS, corridorTerms } from '../../domain/terms/corridor-terms.ts';
import { testRings } from '../../test/kit/rings.ts';
import { principalOf } from '../access/principal.ts';
import { decideApproval } from '../approvals/approvals.ts';
import { describeApproval, executeApproval } from '../approvals/execute.ts';
import { memoryApprovals } from '../approvals/testing/memory-approvals.ts';
import { activatePolicyHandler, askToActivatePolicy } from './activate.ts';
import type { PolicyBook, PolicyTerms } from './ports.ts';
import { termsPolicy } from './terms.ts';
import { memoryPolicies } from './testing/memory-policies.ts';
import { comparePolicies, listPolicies, showPolicy } from './versions.ts';

const NOW = Date.UTC(2026, 11, 1);
const operators = testRings.operators!;
const [asha, ben] = [
  principalOf('Asha', ['compliance'], { credential: 'token' }),
  principalOf('Ben', ['approver'], { credential: 'token' }),
];
const EXAMPLE = JSON.parse(
  readFileSync(new URL('../../processors/fx-pricing/example-terms.json', import.meta.url), 'utf8'),
) as { readonly version: string; readonly margins: readonly { readonly termId: string; readonly marginBps: number }[] };

function world() {
  const log = memoryPolicies(() => NOW);
  const terms = termsPolicy(
    () => corridorTerms(CORRIDORS, BUILT_IN_TERMS),
    () => CORRIDORS,
    (country) => {
      if (country === 'XX') throw new Error('no public holidays are known of the country XX');
      return new Set();
    },
  );
  const kinds: PolicyBook = new Map([[terms.kind, terms as PolicyTerms]]);
  const approvals = memoryApprovals();
  const handlers = { 'policy.activate': activatePolicyHandler({ log, kinds }) };
  let ids = 0;
  const ask = (content: unknown, fromVersion = 0) =>
    askToActivatePolicy(
      { log, kinds, approvals },
      {
        ...{ id: `approval-${++ids}`, kind: 'terms', content, validFrom: null, fromVersion },
        ...{ by: asha, reason: 'as decided', at: new Date(NOW) },
      },
      operators,
    );
  const activate = async (content: unknown, fromVersion = 0) => {
    const { _id, hash } = await ask(content, fromVersion);
    const decision = { id: _id, hash, verdict: 'APPROVED', by: ben, reason: 'so it is', at: new Date(NOW) } as const;
    await decideApproval(approvals, decision, operators);
    return executeApproval(approvals, _id, { handlers, operators, at: new Date(NOW) });
  };
  return { log, kinds, approvals, handlers, ask, activate };
}

it('are proposed in place of those of the corridors, row by row, and come in force when two persons say so', async () => {
  const { ask, activate, approvals, handlers, kinds, log } = world();
  await ask(EXAMPLE);
  const lines = await describeApproval(approvals.all.get('approval-1')!, handlers, operators);
  expect(lines[0]).toMatch(/^put example@2026-11-30 in force as version 1 of terms, SHA-256 /);
  expect(lines.some((line) => line.startsWith('+ margins margin-gb-in: '))).toBe(true);
  expect(await activate(EXAMPLE)).toMatchObject({ state: 'EXECUTED' });
  expect((await listPolicies(kinds, log, { now: NOW }))[0]).toMatchObject({ inForce: 1, name: 'example@2026-11-30' });
});

it('say what a version changes, field by field, and never bear the name of others', async () => {
  const { activate, ask, kinds, log } = world();
  await activate(EXAMPLE);
  const [first, ...others] = EXAMPLE.margins;
  const next = { ...EXAMPLE, version: 'next', margins: [{ ...first!, marginBps: 44 }, ...others] };
  await expect(ask({ ...next, version: EXAMPLE.version }, 1)).rejects.toMatchObject({ code: 'POLICY_INVALID' });
  const changes = [`~ margins ${first!.termId}.marginBps: ${first!.marginBps} -> 44`];
  expect(await comparePolicies(kinds, log, { kind: 'terms', from: 1, to: { content: next } })).toEqual(changes);
  await activate(next, 1);
  expect(await showPolicy(kinds, log, { kind: 'terms', version: 2, now: NOW })).toMatchObject({
    name: 'example@next',
    changes,
  });
});

it.each([
  ['a margin is lacking', { ...EXAMPLE, margins: EXAMPLE.margins.slice(1) }, 'not every transfer has a margin'],
  [
    'a corridor is not there',
    { ...EXAMPLE, margins: [...EXAMPLE.margins, { termId: 'x', where: { corridors: ['XX-YY'] }, marginBps: 1 }] },
    'no corridor XX-YY',
  ],
  [
    'a country is not known',
    {
      ...EXAMPLE,
      calendars: [
        ...(EXAMPLE as unknown as { calendars: object[] }).calendars,
        { id: 'XX', kind: 'country', country: 'XX', weekend: [], closed: [], open: [] },
      ],
    },
    'no public holidays are known',
  ],
  [
    'two rows contradict each other',
    { ...EXAMPLE, margins: [...EXAMPLE.margins, { ...EXAMPLE.margins[0]!, termId: 'x' }] },
    'equally specific',
  ],
  ['a key is not known', { ...EXAMPLE, extra: 1 }, 'extra'],
])('are refused where %s', async (_, content, why) => {
  await expect(world().ask(content)).rejects.toMatchObject({
    code: 'POLICY_INVALID',
    message: expect.stringContaining(why) as unknown,
  });
});
