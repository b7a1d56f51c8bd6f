// Texts that a store keeps and may not read: AES-256-GCM under keys made of a ring. A seal proves who wrote something; this
// hides it as well. Bound to what it belongs to, so that nobody can put it elsewhere.
import { createCipheriv, createDecipheriv, hkdfSync, type KeyObject, randomBytes } from 'node:crypto';
import { DomainError } from '../fault.ts';
import type { KeyRing } from './seal.ts';

/** What it is for, part of the key: what is encrypted for one purpose opens for no other. Frozen. */
export type EncryptionPurpose = 'webhook-secret';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

const keyFor = (secret: KeyObject, purpose: EncryptionPurpose): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, '', `corridor-encrypt-1\n${purpose}`, 32));

/** `<key id>.<base64url of nonce, ciphertext and tag>`, under the current key of the ring. */
export function encrypted(ring: KeyRing, purpose: EncryptionPurpose, belongsTo: string, content: Uint8Array): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', keyFor(ring.keys.get(ring.currentId)!, purpose), nonce);
  cipher.setAAD(Buffer.from(belongsTo, 'utf8'));
  const bytes = Buffer.concat([nonce, cipher.update(content), cipher.final(), cipher.getAuthTag()]);
  return `${ring.currentId}.${bytes.toString('base64url')}`;
}

/**
 * What was encrypted.
 * @throws DomainError DECRYPTION_FAILED when no key of the ring made it, for this purpose and for what it belongs to
 */
export function decrypted(ring: KeyRing, purpose: EncryptionPurpose, belongsTo: string, text: string): Buffer {
  const dot = text.indexOf('.');
  const secret = ring.keys.get(text.slice(0, dot));
  const bytes = Buffer.from(text.slice(dot + 1), 'base64url');
  if (dot < 0 || secret === undefined || bytes.length < NONCE_BYTES + TAG_BYTES) throw failed();
  const decipher = createDecipheriv('aes-256-gcm', keyFor(secret, purpose), bytes.subarray(0, NONCE_BYTES));
  decipher.setAAD(Buffer.from(belongsTo, 'utf8'));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch {
    throw failed();
  }
}

const failed = () => new DomainError('DECRYPTION_FAILED', 'it was not encrypted under a key of this ring, for this');
