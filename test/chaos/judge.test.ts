// Which payouts that wait for a person faults explain: none that was paid, and none that the provider was not made to fail.
import { expect, it } from 'vitest';
import { diedOfFaults } from './judge.ts';

const fault = { id: 'fault-1', rule: 'submit-429', kind: 'rate-limit' } as const;

it.each([
  ['nothing failed', 0, 0, false],
  ['one fault is not what several attempts died of', 1, 0, false],
  ['several faults', 2, 0, true],
  ['several faults, but it was paid', 3, 1, false],
])('%s', (_, faults, executions, isExplained) => {
  expect(diedOfFaults({ faults: Array.from({ length: faults }, () => fault), executions })).toBe(isExplained);
});
