import fc from 'fast-check';
import { expect, it } from 'vitest';
import { uetrOf } from './uetr.ts';

const V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

it('is a UUID in the form of version 4, the same each time, another for each transfer', () => {
  const seen = new Map<string, string>();
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 64 }), (transferId) => {
      const uetr = uetrOf(transferId);
      expect(uetr).toMatch(V4);
      expect(uetrOf(transferId)).toBe(uetr);
      expect(seen.get(uetr) ?? transferId).toBe(transferId);
      seen.set(uetr, transferId);
    }),
  );
});

it('is frozen: banks keep it', () => {
  expect(uetrOf('5f0c8f0e-3c1a-4a1e-9f63-2d9a0c1b7e11')).toMatchInlineSnapshot(
    `"20bbc3d5-8605-40da-84b4-9d02add8a8d8"`,
  );
});
