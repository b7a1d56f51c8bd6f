// Signed notes (C2SP signed-note, as golang.org/x/mod/sumdb/note has them): a text, an empty line, and signatures. Ed25519
// alone. Pure.
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { DomainError } from '../fault.ts';

/** Ed25519, as notes number algorithms. */
const ED25519 = 1;
const KEY_BYTES = 32;
const ID_BYTES = 4;
const SIGNATURE_BYTES = 64;
const MAX_NOTE_BYTES = 16_384;
const MAX_SIGNATURES = 16;
const MAX_KEYS = 8;
/** DER around the 32 bytes of a key: PKCS #8 for a private one, SPKI for a public one. */
const PRIVATE_DER = Buffer.from('302e020100300506032b657004220420', 'hex');
const PUBLIC_DER = Buffer.from('302a300506032b6570032100', 'hex');

const NAME = /^[!-*,-~]{1,128}$/;
const PUBLIC = /^([!-*,-~]{1,128})\+([0-9a-f]{8})\+([A-Za-z0-9+/=]{44})$/;
const PRIVATE = /^PRIVATE\+KEY\+([!-*,-~]{1,128})\+([0-9a-f]{8})\+([A-Za-z0-9+/=]{44})$/;
/** Neither controls nor what is no text. */
const CONTROL = /(?!\n)[\p{Cc}\p{Cs}\ufffd]/u;
const SIGNATURE_LINE = /^— ([!-*,-~]{1,128}) ([A-Za-z0-9+/]+={0,2})$/;

/** A key that checks notes. `id` is made from its name and its bytes: 8 hexadecimal digits. */
export interface VerifyKey {
  readonly name: string;
  readonly id: string;
  readonly key: KeyObject;
  /** As it is given to others: `name+id+base64`. */
  readonly text: string;
}

export interface SigningKey {
  readonly verifies: VerifyKey;
  readonly key: KeyObject;
}

const invalid = (why: string): DomainError => new DomainError('SIGNING_KEY_INVALID', why);

function verifyKeyOf(name: string, raw: Buffer): VerifyKey {
  const encoded = Buffer.concat([Buffer.of(ED25519), raw]);
  const id = createHash('sha256')
    .update(`${name}\n`)
    .update(encoded)
    .digest('hex')
    .slice(0, 2 * ID_BYTES);
  const key = createPublicKey({ key: Buffer.concat([PUBLIC_DER, raw]), format: 'der', type: 'spki' });
  return { name, id, key, text: `${name}+${id}+${encoded.toString('base64')}` };
}

/** The 32 bytes behind the number of the algorithm. */
function keyBytes(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== 1 + KEY_BYTES || bytes[0] !== ED25519 || bytes.toString('base64') !== text) {
    throw invalid('a key of the audit log is Ed25519, 33 bytes in base64');
  }
  return bytes.subarray(1);
}

/** The key of 32 random bytes. @throws DomainError SIGNING_KEY_INVALID when the name is empty or unfit */
export function signingKeyOf(name: string, seed: Buffer): SigningKey {
  if (!NAME.test(name) || seed.length !== KEY_BYTES)
    throw invalid('a name without blanks and plus signs, and 32 bytes');
  const key = createPrivateKey({ key: Buffer.concat([PRIVATE_DER, seed]), format: 'der', type: 'pkcs8' });
  const raw = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(PUBLIC_DER.length);
  return { key, verifies: verifyKeyOf(name, raw) };
}

/** As it stands in the configuration: `PRIVATE+KEY+name+id+base64`. */
export const privateText = ({ name, id }: VerifyKey, seed: Buffer): string =>
  `PRIVATE+KEY+${name}+${id}+${Buffer.concat([Buffer.of(ED25519), seed]).toString('base64')}`;

/** @throws DomainError SIGNING_KEY_INVALID; the message holds nothing of the key */
export function signingKey(text: string): SigningKey {
  const [, name, id, encoded] = PRIVATE.exec(text) ?? [];
  if (name === undefined || encoded === undefined) throw invalid('a signing key is PRIVATE+KEY+name+id+base64');
  const key = signingKeyOf(name, keyBytes(encoded));
  if (key.verifies.id !== id) throw invalid(`the id of the key of ${name} is not that of its bytes`);
  return key;
}

/** @throws DomainError SIGNING_KEY_INVALID */
export function verifyKey(text: string): VerifyKey {
  const [, name, id, encoded] = PUBLIC.exec(text) ?? [];
  if (name === undefined || encoded === undefined) throw invalid('a public key is name+id+base64');
  const key = verifyKeyOf(name, keyBytes(encoded));
  if (key.id !== id) throw invalid(`the id of the public key of ${name} is not that of its bytes`);
  return key;
}

/** Keys of one log, comma-separated. @throws DomainError SIGNING_KEY_INVALID */
export function keysOf<K>(text: string, read: (one: string) => K, nameOf: (key: K) => string): readonly K[] {
  const keys = text.split(',').map((part) => read(part.trim()));
  if (keys.length > MAX_KEYS) throw invalid(`at most ${MAX_KEYS} keys`);
  if (new Set(keys.map(nameOf)).size > 1) throw invalid('all keys of a log have one name, which is its origin');
  return keys;
}

/** The text under the signatures of these keys. It ends with a line break. */
export function signedNote(text: string, keys: readonly SigningKey[]): string {
  const bytes = Buffer.from(text);
  const lines = keys.map(({ key, verifies }) => {
    const signature = Buffer.concat([Buffer.from(verifies.id, 'hex'), sign(null, bytes, key)]);
    return `— ${verifies.name} ${signature.toString('base64')}\n`;
  });
  return `${text}\n${lines.join('')}`;
}

/**
 * The text of a note that one of these keys has signed; undefined: none has, or it is no note. Signatures of others are
 * passed over; a wrong one of a known key spoils the note.
 */
export function openedNote(note: string, keys: readonly VerifyKey[]): string | undefined {
  if (Buffer.byteLength(note) > MAX_NOTE_BYTES || CONTROL.test(note) || !note.endsWith('\n')) return undefined;
  const split = note.lastIndexOf('\n\n');
  if (split < 0) return undefined;
  const text = note.slice(0, split + 1);
  const lines = note.slice(split + 2, -1).split('\n');
  if (lines.length > MAX_SIGNATURES) return undefined;
  let isSigned = false;
  for (const line of lines) {
    const [, name, encoded] = SIGNATURE_LINE.exec(line) ?? [];
    if (name === undefined || encoded === undefined) return undefined;
    const bytes = Buffer.from(encoded, 'base64');
    const id = bytes.subarray(0, ID_BYTES).toString('hex');
    const known = keys.find((key) => key.name === name && key.id === id);
    if (known === undefined) continue;
    const signature = bytes.subarray(ID_BYTES);
    if (signature.length !== SIGNATURE_BYTES || !verify(null, Buffer.from(text), known.key, signature))
      return undefined;
    isSigned = true;
  }
  return isSigned ? text : undefined;
}
