// Seals: who made a record, provably. A MAC under a key that only its issuer (and whoever must check it) has. Pure.
import { createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import { DomainError } from '../fault.ts';
import type { TextBuffer } from '../text/buffer-text.ts';
import { hmacSha256 } from './hmac.ts';

/** What a seal is for. A seal of one purpose is worth nothing for another. Frozen: part of what is sealed. */
export type SealPurpose =
  | 'record'
  | 'hold'
  | 'decision'
  | 'exception'
  | 'payout'
  | 'customer'
  | 'list'
  | 'closing'
  | 'approval'
  | 'intent'
  | 'webhook-endpoint'
  | 'webhook-delivery'
  | 'dry-run'
  | 'limits-record'
  | 'quote'
  | 'quote-claim';

/** Keys by id. The current one seals; all of them are accepted, so that a key can be replaced while records are on their way. */
export interface KeyRing {
  readonly currentId: string;
  readonly keys: ReadonlyMap<string, KeyObject>;
  /**
   * Records without a seal that the broker took before this, ms since 1970, are from the time before they were sealed: they are
   * believed as they were then. One that has a seal must have a true one.
   */
  readonly unsealedBefore?: number;
  /** Test only: whatever is to be checked counts as sealed, also where there is no seal. No setting makes such a ring. */
  readonly believesAll?: true;
}

const KEY = /^((?:[A-Za-z0-9_-]{1,32}@)?[A-Za-z0-9_-]{1,32}):(.{32,512})$/;
const MAX_KEYS = 8;
/** 32 bytes in base64url. The decoder of Node passes over foreign characters: what is spelt in another way is no seal. */
const MAC_TEXT = /^[A-Za-z0-9_-]{43}$/;

/**
 * A key ring from `id:secret,id:secret`: the first key seals, each is accepted. An id has 1 to 32 letters, digits, `_` or
 * `-`, and may begin with whom alone it speaks for: `ecb@2026`; a secret has at least 32 characters and no comma.
 *
 * @throws DomainError KEY_RING_INVALID; the message names no secret
 */
export function keyRing(text: string): KeyRing {
  const parts = text.split(',').map((part) => part.trim());
  if (parts.length > MAX_KEYS) throw new DomainError('KEY_RING_INVALID', `at most ${MAX_KEYS} keys`);
  const keys = new Map<string, KeyObject>();
  for (const part of parts) {
    const [, id, secret] = KEY.exec(part) ?? [];
    if (id === undefined || secret === undefined) {
      throw new DomainError('KEY_RING_INVALID', 'each key must be `id:secret`, the secret at least 32 characters long');
    }
    if (keys.has(id)) throw new DomainError('KEY_RING_INVALID', `the key id ${id} is there twice`);
    keys.set(id, createSecretKey(secret, 'utf8'));
  }
  return { currentId: KEY.exec(parts[0]!)![1]!, keys };
}

/** Whom alone the key of this id speaks for; undefined: whomever its issuer does. Pure. */
export function speakerOf(keyId: string): string | undefined {
  const at = keyId.indexOf('@');
  return at < 0 ? undefined : keyId.slice(0, at);
}

/**
 * The ring as one who speaks for this name seals by it: with a key of that name, else with one that names nobody; undefined:
 * there is none. Pure.
 */
export function ringFor(ring: KeyRing, name: string): KeyRing | undefined {
  const ids = [...ring.keys.keys()];
  const currentId = ids.find((id) => speakerOf(id) === name) ?? ids.find((id) => speakerOf(id) === undefined);
  return currentId === undefined ? undefined : { ...ring, currentId };
}

const absent = new WeakSet<KeyRing>();

/**
 * In the place of a ring that a process does not have. Whoever would seal or check by it gets what `refuse` throws, so that
 * nothing is ever sealed under no key, or taken for forged because the key is elsewhere.
 */
export function absentRing(refuse: () => never): KeyRing {
  const ring: KeyRing = {
    get currentId(): string {
      return refuse();
    },
    get keys(): ReadonlyMap<string, KeyObject> {
      return refuse();
    },
  };
  absent.add(ring);
  return ring;
}

export const isAbsent = (ring: KeyRing): boolean => absent.has(ring);

/** The seal of these parts, in this order: `<key id>.<HMAC-SHA-256, base64url>`. Each part is bound with its length. */
export function sealOf(ring: KeyRing, purpose: SealPurpose, parts: readonly (string | Uint8Array)[]): string {
  return `${ring.currentId}.${macOf(ring.keys.get(ring.currentId)!, purpose, parts)}`;
}

/** Whether a key of this ring made this seal for these parts. Anything that is no seal is false. */
export function isSealed(
  ring: KeyRing,
  purpose: SealPurpose,
  parts: readonly (string | Uint8Array)[],
  seal: string | null | undefined,
): boolean {
  if (ring.believesAll) return true;
  if (seal === null || seal === undefined || seal.length > 128) return false;
  const dot = seal.indexOf('.');
  const key = ring.keys.get(seal.slice(0, dot));
  if (dot < 0 || key === undefined) return false;
  const text = seal.slice(dot + 1);
  if (!MAC_TEXT.test(text)) return false;
  // As texts: the last of 43 characters has two bits that decode to nothing.
  GIVEN.latin1Write(text, 0, MAC_LENGTH);
  WANTED.latin1Write(macOf(key, purpose, parts), 0, MAC_LENGTH);
  return timingSafeEqual(GIVEN, WANTED);
}

/** Whether it has the form of a seal, and is under a key that this ring has not: nobody with the ring can tell whether it is true. */
export function isOfUnknownKey(ring: KeyRing, seal: string): boolean {
  const [, keyId] = SEAL_TEXT.exec(seal) ?? [];
  return !ring.believesAll && keyId !== undefined && !ring.keys.has(keyId);
}

const SEAL_TEXT = /^((?:[A-Za-z0-9_-]{1,32}@)?[A-Za-z0-9_-]{1,32})\.[A-Za-z0-9_-]{43}$/;
const MAC_LENGTH = 43;
const GIVEN = Buffer.alloc(MAC_LENGTH) as TextBuffer;
const WANTED = Buffer.alloc(MAC_LENGTH) as TextBuffer;

function macOf(key: KeyObject, purpose: SealPurpose, parts: readonly (string | Uint8Array)[]): string {
  // Lengths first: no two lists of parts are the same bytes.
  return hmacSha256(key, parts, (lengths) => `corridor-seal-1\n${purpose}\n${lengths}\n`);
}
