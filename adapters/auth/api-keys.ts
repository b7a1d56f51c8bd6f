// API keys of producers, from a file: hashed, scoped, several at once while one replaces another. The file is read again when it
// changes; one that cannot be used leaves the keys in force that were read before it.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { strictJson, strictText } from '../../domain/text/strict-json.ts';
import {
  type Authenticator,
  invalid,
  isAction,
  type Principal,
  principalOf,
} from '../../operations/access/principal.ts';
import { CodedError } from '../../ports/fault.ts';

/** A key is `corridor_<id>_<secret>`: known as one when it turns up where it should not. */
const PREFIX = 'corridor_';
const KEY = /^corridor_([a-z0-9-]{1,40})_([A-Za-z0-9-]{43})$/;
const SECRET_BYTES = 32;
/** The file is looked at no more often, ms. */
const LOOK_EVERY_MS = 5_000;
const MAX_KEYS = 10_000;

const keyFile = z
  .array(
    z.strictObject({
      keyId: z.string().regex(/^[a-z0-9-]{1,40}$/),
      producer: z.string().regex(/^[a-z0-9][a-z0-9-]{1,62}$/, 'lower-case letters, digits and hyphens'),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
      scopes: z.array(z.string().refine(isAction, 'no action of the table in docs/security.md')).min(1),
      notAfter: z.iso.datetime({ offset: true }).optional(),
    }),
  )
  .max(MAX_KEYS)
  .refine((keys) => new Set(keys.map(({ keyId }) => keyId)).size === keys.length, 'a keyId stands twice');

/** One key as the file has it; never the key itself. */
export type KeyEntry = z.output<typeof keyFile>[number];

const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest();

/** Whether a credential has the form of an API key (else it is a token). */
export const isApiKey = (credential: string): boolean => credential.startsWith(PREFIX);

/** A new key for a producer, and the entry for the file: the key is shown once and kept nowhere. */
export function newApiKey(
  producer: string,
  scopes: readonly string[],
  keyId: string,
): { key: string; entry: KeyEntry } {
  const secret = randomBytes(SECRET_BYTES).toString('base64url').replaceAll('_', '-');
  const [entry] = keyFile.parse([{ keyId, producer, scopes, sha256: hashOf(secret).toString('hex') }]);
  return { key: `${PREFIX}${keyId}_${secret}`, entry: entry! };
}

export interface KeyAuthenticator extends Authenticator {
  /** Producers that have a key, as the file was last read. */
  producers(): readonly string[];
}

/**
 * Keys in this file.
 *
 * @param onUnusable told when a changed file cannot be used, with why; it holds no key
 * @throws CodedError TERMS_UNREADABLE (fatal) when the file cannot be used at the start
 */
export async function apiKeyAuthenticator(
  file: string,
  onUnusable: (why: CodedError) => void,
  clock: () => number = Date.now,
): Promise<KeyAuthenticator> {
  let keys = await readKeys(file);
  let version = await versionOf(file);
  let lookedAt = clock();

  async function current(): Promise<ReadonlyMap<string, KeyEntry>> {
    if (clock() - lookedAt < LOOK_EVERY_MS) return keys;
    lookedAt = clock();
    try {
      const now = await versionOf(file);
      if (now === version) return keys;
      version = now;
      keys = await readKeys(file);
    } catch (error) {
      onUnusable(unusable(file, error));
    }
    return keys;
  }

  return {
    producers: () => [...new Set([...keys.values()].map(({ producer }) => producer))],
    async authenticate(credential): Promise<Principal> {
      const [, keyId, secret] = KEY.exec(credential) ?? [];
      const entry = (await current()).get(keyId ?? '');
      // One and the same answer, in the same time, for a key that is not known and a secret that is wrong.
      const isRight = timingSafeEqual(hashOf(secret ?? ''), Buffer.from(entry?.sha256 ?? NOBODY, 'hex'));
      if (entry === undefined || !isRight) throw invalid('it is no API key that is in force');
      if (entry.notAfter !== undefined && Date.parse(entry.notAfter) <= clock())
        throw new CodedError('CREDENTIAL_EXPIRED', 'the credential is not accepted: the API key has expired');
      return principalOf(entry.producer, ['producer'], { credential: 'key', scopes: entry.scopes.filter(isAction) });
    },
  };
}

const NOBODY = '0'.repeat(64);

const versionOf = async (file: string): Promise<string> => {
  const { mtimeMs, size, ino } = await stat(file);
  return `${mtimeMs}:${size}:${ino}`;
};

async function readKeys(file: string): Promise<ReadonlyMap<string, KeyEntry>> {
  try {
    const entries = keyFile.parse(strictJson(strictText(await readFile(file))));
    return new Map(entries.map((entry) => [entry.keyId, entry]));
  } catch (error) {
    throw unusable(file, error);
  }
}

function unusable(file: string, error: unknown): CodedError {
  if (error instanceof CodedError) return error;
  const why = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
  return new CodedError('TERMS_UNREADABLE', `${file} cannot be used as the file of API keys: ${why}`, {
    faultClass: 'fatal',
  });
}
