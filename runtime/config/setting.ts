// How one setting is declared. settings.ts lists them all; everything else (types, checks, docs, printing) derives.
import { z } from 'zod';
import { keysOf, signingKey, verifyKey } from '../../domain/audit/signed-note.ts';
import { DomainError } from '../../domain/fault.ts';
import { keyRing } from '../../domain/seals/seal.ts';
import { networks } from '../../domain/webhooks/addresses.ts';

export interface Setting<S extends z.ZodType = z.ZodType> {
  /** Name of the environment variable. */
  readonly env: string;
  /** One or two sentences: what it does, its unit, what happens at its limits. */
  readonly doc: string;
  /** Reads the variable's text. */
  readonly schema: S;
  /** As it would be written in the environment. Without one (and not optional) the setting must be set. */
  readonly default: string | undefined;
  /** Used instead of a missing default when CORRIDOR_ENV is development or test. A secret here is refused in production. */
  readonly developmentDefault: string | undefined;
  /** Its value is never printed or logged. */
  readonly secret: boolean;
  readonly optional: boolean;
}

interface Options<S> {
  readonly doc: string;
  readonly schema: S;
  readonly default?: string;
  readonly developmentDefault?: string;
  readonly secret?: true;
}

/** A setting that has a value: its default, or it must be set. */
export function setting<S extends z.ZodType>(env: string, options: Options<S>): Setting<S> {
  const { doc, schema } = options;
  return {
    env,
    doc,
    schema,
    default: options.default,
    developmentDefault: options.developmentDefault,
    secret: options.secret ?? false,
    optional: false,
  };
}

/** A setting that may be absent; in development it may have a value all the same. */
export function optionalSetting<S extends z.ZodType>(
  env: string,
  options: Omit<Options<S>, 'default'>,
): Setting<z.ZodOptional<S>> {
  const { doc, schema } = options;
  const secret = options.secret ?? false;
  return {
    env,
    doc,
    schema: schema.optional(),
    default: undefined,
    developmentDefault: options.developmentDefault,
    secret,
    optional: true,
  };
}

/** Whole numbers; digits only, so that `1e3` or `10ms` are mistakes. */
export const integer = (min: number, max = Number.MAX_SAFE_INTEGER) =>
  z
    .string()
    .regex(/^-?\d+$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .pipe(z.number().min(min, `must be at least ${min}`).max(max, `must be at most ${max}`));

/** Milliseconds. */
export const milliseconds = (min = 0, max = Number.MAX_SAFE_INTEGER) => integer(min, max);

export const ratio = () =>
  z
    .string()
    .regex(/^(0(\.\d+)?|1(\.0+)?)$/, 'must be a number from 0 to 1')
    .transform(Number);

export const flag = () => z.enum(['true', 'false'], 'must be true or false').transform((text) => text === 'true');

export const text = () => z.string().min(1);

export const name = () => z.string().regex(/^[a-z][a-z0-9-]*$/, 'must be lower-case letters, digits and hyphens');

export const oneOf = <const T extends readonly [string, ...string[]]>(...values: T) =>
  z.enum(values, `must be one of ${values.join(', ')}`);

/** One or more of these, comma-separated, each once. */
export const someOf = <const T extends readonly [string, ...string[]]>(...values: T) =>
  z
    .string()
    .transform((whole) => [...new Set(whole.split(',').map((part) => part.trim()))])
    .pipe(z.array(z.enum(values, `must be one or more of ${values.join(', ')}, comma-separated`)).min(1));

/** Comma-separated `host:port`. */
export const addresses = () =>
  z
    .string()
    .transform((whole) => whole.split(',').map((part) => part.trim()))
    .pipe(
      z.array(z.string().regex(/^[^\s:/]+:\d{1,5}$|^\[[0-9a-fA-F:]+\]:\d{1,5}$/, 'must be host:port, comma-separated')),
    );

/** Comma-separated whole numbers. */
export const integers = (min: number) =>
  z
    .string()
    .regex(/^\d+(\s*,\s*\d+)*$/, 'must be whole numbers, comma-separated')
    .transform((whole) => whole.split(',').map(Number))
    .pipe(z.array(z.number().min(min, `must each be at least ${min}`)));

/** A URL with one of these protocols. */
export const url = (...protocols: readonly string[]) =>
  z
    .string()
    .refine(
      (candidate) => URL.canParse(candidate) && protocols.includes(new URL(candidate).protocol.replace(':', '')),
      `must be a URL that starts with ${protocols.map((protocol) => `${protocol}://`).join(' or ')}`,
    );

/** Comma-separated URLs with one of these protocols; blanks around them and empty ones are left out. */
export const urls = (...protocols: readonly string[]) =>
  z
    .string()
    .transform((whole) =>
      whole
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    )
    .pipe(z.array(url(...protocols)).max(200, 'must be at most 200 URLs'));

/** Text that fits a header: visible ASCII characters alone. */
export const visible = (min: number, max: number) =>
  z
    .string()
    .regex(/^[\x21-\x7e]*$/, 'must be visible ASCII characters')
    .min(min)
    .max(max);

/** A secret of at least this many characters. */
export const secretText = (minLength: number) =>
  z.string().min(minLength, `must have at least ${minLength} characters`);

const checked =
  <T>(read: (text: string) => T) =>
  (text: string, context: z.RefinementCtx): T => {
    try {
      return read(text);
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
      return z.NEVER;
    }
  };

/** Keys that sign checkpoints of the audit log, comma-separated, of one origin. */
export const signingKeysText = () =>
  z.string().transform(checked((text) => keysOf(text, signingKey, ({ verifies }) => verifies.name)));

/** Public keys of the audit log, comma-separated. */
export const publicKeysText = () =>
  z.string().transform(checked((text) => keysOf(text, verifyKey, ({ name }) => name)));

/** Networks, as `address/bits`, comma-separated. */
export const networksText = () =>
  z.string().transform(
    checked((text) => {
      const given = text.split(',').map((part) => part.trim());
      networks(given);
      return given;
    }),
  );

/** Keys of a seal: `id:secret`, comma-separated; the first seals, all are accepted. */
export const keyRingText = () => z.string().transform(checked(keyRing));

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?Z$/;

/** A moment of UTC that has passed, in ISO 8601; ms since 1970. */
export const pastInstant = () =>
  z
    .string()
    .regex(INSTANT, 'must be a moment of UTC, as 2026-12-01T09:30:00Z')
    .transform((whole) => Date.parse(whole))
    .pipe(z.number({ error: 'must be a moment of UTC' }).refine((at) => at <= Date.now(), 'must not be in the future'));
