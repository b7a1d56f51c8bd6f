// Versions of policies as verification goes by them: what two persons put in force, and between which times it began.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { CORRIDORS } from '../domain/corridors/corridor-table.ts';
import { corridorBook } from '../domain/corridors/corridors.ts';
import { canonicalJson } from '../operations/approvals/acts.ts';
import { readLimitRules } from '../operations/policies/limits.ts';
import type { LoggedVersion } from '../operations/policies/ports.ts';
import { hashOfPolicy } from '../operations/policies/versions.ts';
import { asOfThen, lawsIn } from './logged-laws.ts';

const EXAMPLE = JSON.parse(
  readFileSync(new URL('../processors/limits/example-rules.json', import.meta.url), 'utf8'),
) as { readonly name: string; readonly version: string };
const content = canonicalJson(EXAMPLE);

const logged = (over: Partial<LoggedVersion['record']> = {}, appendedAt = 1_000): LoggedVersion => ({
  record: {
    ...{ kind: 'limits', version: 1, content, contentHash: hashOfPolicy(content), validFrom: 0, activatedAt: 900 },
    ...{ askedBy: 'asha', approvedBy: 'ben', approvalId: 'a-1', reason: 'r', ...over },
  },
  appendedAt,
});

it('are named as events name them, and begin between what the approval and the broker say', () => {
  const name = `${EXAMPLE.name}@${EXAMPLE.version}#1`;
  expect(lawsIn([logged()], 'limits')).toEqual([{ version: 1, name, earliest: 900, latest: 1_000 }]);
  // A copy of the log has later times.
  expect(lawsIn([logged({}, 99_000)], 'limits')).toMatchObject([{ earliest: 900, latest: 99_000 }]);
  expect(lawsIn([logged({ validFrom: 5_000 })], 'limits')).toMatchObject([{ earliest: 5_000, latest: 5_000 }]);
  expect(lawsIn([logged()], 'terms')).toEqual([]);
});

it('are law where this build cannot read them, and are none where nobody put them in force', () => {
  const strange = '{"rules":"of a later release"}';
  expect(lawsIn([logged({ content: strange, contentHash: hashOfPolicy(strange) })], 'limits')).toMatchObject([
    { version: 1, name: null },
  ]);
  expect(lawsIn([logged({ approvedBy: 'asha' })], 'limits')).toEqual([]);
  expect(lawsIn([logged({ contentHash: 'another' })], 'limits')).toEqual([]);
});

it('rules for a corridor that was renamed since are those that nobody is sure of, and state the same wherever they count', () => {
  const set = readLimitRules(EXAMPLE);
  const renamed = CORRIDORS.map((corridor) => (corridor.id === 'US-IN' ? { ...corridor, id: 'US-BHARAT' } : corridor));
  const of = (corridors: typeof CORRIDORS) => asOfThen(set, corridorBook(corridors), 1);
  const named = set.rules.filter(({ where }) => where.corridors?.includes('US-IN')).map(({ ruleId }) => ruleId);
  expect(named.length).toBeGreaterThan(0);
  expect([...of(CORRIDORS).unsure]).toEqual([]);
  expect([...of(renamed).unsure]).toEqual(named);
  for (const rule of set.rules)
    expect(of(renamed).book.byId.get(rule.ruleId)).toEqual(
      named.includes(rule.ruleId) ? { ...rule, where: { ...rule.where, corridors: undefined } } : rule,
    );
});
