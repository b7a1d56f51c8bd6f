import { expect, it } from 'vitest';
import { windowFinder } from '../../domain/limits/windows.ts';
import type { LedgerCounter } from '../../processors/limits/ports.ts';
import { windowSums } from './window-sums.ts';

const START = Date.UTC(2026, 10, 23, 9);
const counter = (length: number, n: number): LedgerCounter => {
  const { id: window } = windowFinder({ kind: 'rolling', unit: 'minute', length })(START + n * 1_000);
  return { ruleId: 'busy', subjectToken: 'producer', window, usedMinor: 1n, open: 0 };
};

it('sums of rolling windows are made of however many steps a busy subject has, by length', () => {
  const sums = windowSums();
  for (let n = 0; n < 200_000; n++) sums.add(counter(10, n));
  sums.add(counter(5, 3));
  const made = [...sums.all()].map(({ name, fields }) => [name, fields['sum']]);
  expect(made).toEqual([
    ['busy:producer:r1x600.', '601'],
    ['busy:producer:r1x300.', '1'],
  ]);
});
