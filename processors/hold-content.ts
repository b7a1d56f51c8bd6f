// The hash of what a hold is about: over everything in the held event, so that a decision binds all that it was made on.
import { hash } from 'node:crypto';
import { recordContentOf } from '../schemas/record-content.ts';
import type { Hold, TransferHeld } from '../schemas/types.generated.ts';

/** A held event whose hold is not bound yet. */
export type HeldContent = Omit<TransferHeld, 'hold'> & { readonly hold: Omit<Hold, 'evidenceHash' | 'seal'> };

/**
 * SHA-256 over the whole held event, but for the hash itself and the seal; hexadecimal. Fields are hashed by name, and
 * those that have the schema's default are left out: an event of before a field existed has the same hash ever after.
 * What the schema does not know is no part of the event.
 */
export function contentHashOf({ hold, ...rest }: HeldContent): string {
  const content = recordContentOf('TransferHeld', { ...rest, hold: { ...hold, evidenceHash: '', seal: null } });
  return hash('sha256', `corridor-hold-1\n${content}`, 'hex');
}
