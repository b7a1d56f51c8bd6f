import { expect, it } from 'vitest';
import { transferHeld } from '../test/kit/builders.ts';
import { canonical } from '../verify/digest.ts';
import { withDefaults } from './schema-defaults.ts';

it('fills what an older document lacks, at any depth, and nothing else', () => {
  const held = transferHeld();
  const whole = withDefaults('TransferHeld', held);
  const older = structuredClone(held) as unknown as { screening: Record<string, unknown> };
  delete older.screening['review'];
  expect(canonical(withDefaults('TransferHeld', older))).toBe(canonical(whole));
  const other = { ...held, hold: { ...held.hold, expiresAt: 1 } };
  expect(canonical(withDefaults('TransferHeld', other))).not.toBe(canonical(whole));
});
