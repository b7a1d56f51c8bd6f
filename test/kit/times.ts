/**
 * How many cases a property is tried on: the share that every run can afford, or, in the full run, as many times more as
 * CORRIDOR_TEST_FACTOR says (`npm run test:full`).
 */
export function times(share: number): number {
  const factor = Number(process.env['CORRIDOR_TEST_FACTOR'] ?? '1');
  if (!Number.isFinite(factor) || factor <= 0) throw new Error('CORRIDOR_TEST_FACTOR must be a number above zero');
  return Math.max(1, Math.round(share * factor));
}
