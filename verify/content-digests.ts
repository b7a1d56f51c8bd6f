// Digests of what is carried: of what an intent asks for, and of the parties of an event.
import { payloadHash } from '../processors/intake/payload-hash.ts';
import { recordType } from '../schemas/avro-types.ts';
import type { TransferRequested } from '../schemas/types.generated.ts';
import { digest } from './digest.ts';

/** Digest of what an intent asks for. */
export function payloadDigest(intent: TransferRequested): number {
  return digest(payloadHash(intent) ?? '');
}

/** Digest of the parties, open or sealed. */
export function partiesDigest(parties: Readonly<Record<string, unknown>>): number {
  const [kind, sealed] = Object.entries(parties)[0]!;
  return digest(recordType(kind.slice(kind.lastIndexOf('.') + 1)).toBuffer(sealed));
}
