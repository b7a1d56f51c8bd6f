// The screening configuration in force: defaults of the engine, what a file changes of them, and what a corridor or a
// list changes on top. Every decision records the difference from the defaults, so that it can be made again.
import { z } from 'zod';
import { checkConfig, configHash, DEFAULT_CONFIG, type ScreeningConfig } from './engine/index.ts';
import { canonicalJson } from './lists/index.ts';

const share = z.number().min(0).max(1);
const thresholds = {
  threshold: share.optional(),
  thresholdBySource: z.record(z.string().min(1), share).optional(),
};
const weights = (known: object) =>
  z.partialRecord(z.enum(Object.keys(known) as [string, ...string[]]), z.number()).optional();

/** What the file may say. Keys of `corridors` are currency pairs such as `GBP-INR`. */
export const screeningFile = z.strictObject({
  ...thresholds,
  floor: share.optional(),
  nearPerfectName: share.optional(),
  weakAliasCap: share.optional(),
  maxCandidates: z.int().min(1).max(100).optional(),
  weights: weights(DEFAULT_CONFIG.weights),
  qualifiers: weights(DEFAULT_CONFIG.qualifiers),
  corridors: z
    .record(
      z.string().regex(/^[A-Z]{3}-[A-Z]{3}$/, 'must be a currency pair such as GBP-INR'),
      z.strictObject(thresholds),
    )
    .optional(),
  /** Rails on which parties are not screened again between acceptance and payment. */
  railsWithoutListCheck: z.array(z.string().min(1)).optional(),
});
export type ScreeningFile = z.infer<typeof screeningFile>;

/** A configuration with what identifies and reproduces it. */
export interface NamedConfig {
  readonly config: ScreeningConfig;
  readonly hash: string;
  /** What it changes of the defaults, as canonical JSON. */
  readonly overrides: string;
}

export interface ScreeningTerms {
  readonly base: NamedConfig;
  /** For a currency pair; the base where the file says nothing about it. */
  forCorridor(sourceCurrency: string, targetCurrency: string): NamedConfig;
  /** Every configuration that `forCorridor` may answer with, by what it changes of the defaults. */
  readonly configurations: readonly string[];
  readonly railsWithoutListCheck: ReadonlySet<string>;
}

/** EU 260/2012, Art. 5d: no list check while an instant payment in euro is executed; customers are screened again daily. */
const RAILS_WITHOUT_LIST_CHECK = ['SCT-INST'];

/**
 * @throws z.ZodError or RangeError naming the first setting that makes no sense
 */
export function screeningTerms(file: unknown = {}): ScreeningTerms {
  const { corridors = {}, railsWithoutListCheck = RAILS_WITHOUT_LIST_CHECK, ...base } = screeningFile.parse(file);
  const changes = plain(base);
  const named = namedConfig(changes);
  const byCorridor = new Map(
    Object.entries(corridors).map(([corridor, own]) => [corridor, namedConfig(merged(changes, plain(own)))]),
  );
  return {
    base: named,
    forCorridor: (source, target) => byCorridor.get(`${source}-${target}`) ?? named,
    configurations: [...new Set([named, ...byCorridor.values()].map(({ overrides }) => overrides))],
    railsWithoutListCheck: new Set(railsWithoutListCheck),
  };
}

type Changes = { readonly [key: string]: unknown };
const isChanges = (value: unknown): value is Changes =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const plain = (value: object): Changes => JSON.parse(JSON.stringify(value)) as Changes;

function merged(base: Changes, changes: Changes): Changes {
  const result: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(changes)) {
    const before = result[key];
    result[key] = isChanges(value) && isChanges(before) ? merged(before, value) : value;
  }
  return result;
}

function namedConfig(changes: Changes): NamedConfig {
  const config = checkConfig(merged(DEFAULT_CONFIG as never, changes) as never);
  return { config, hash: configHash(config), overrides: canonicalJson(changes) };
}

/** The configuration that evidence records. @throws SyntaxError or RangeError for any other text */
export const configFrom = (overrides: string): NamedConfig => namedConfig(JSON.parse(overrides) as Changes);
