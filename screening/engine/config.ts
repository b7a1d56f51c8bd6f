/** Everything a score depends on besides the two parties: weights, thresholds, policies. Validated, hashed, recorded. */
import { canonicalJson, sha256 } from '../lists/entity.ts';

export interface ScreeningConfig {
  /** From here on a hit holds the transfer. */
  readonly threshold: number;
  /** Candidates from here on are kept as evidence, also when they do not alert. Not above the threshold. */
  readonly floor: number;
  /** Names alike from here on are kept as evidence whatever the other facts say. */
  readonly nearPerfectName: number;
  /** Thresholds of single lists, by source. */
  readonly thresholdBySource: Readonly<Record<string, number>>;
  /** Highest score of a hit that rests on a weak alias and on nothing else. Below the threshold. */
  readonly weakAliasCap: number;
  /** Most candidates kept as evidence, best first. */
  readonly maxCandidates: number;
  readonly weights: NameWeights;
  readonly qualifiers: QualifierWeights;
}

/** How much words count, and what words without a counterpart cost. */
export interface NameWeights {
  readonly common: number;
  readonly short: number;
  readonly family: number;
  readonly initial: number;
  readonly particle: number;
  readonly kunya: number;
  readonly title: number;
  readonly softTitle: number;
  readonly generic: number;
  /** Generic words that add next to nothing: `Group`, `Holding`. */
  readonly light: number;
  readonly place: number;
  /** Share of a place's cost when only one side names one. */
  readonly placeExtra: number;
  /** Words on both sides that contradict each other. */
  readonly conflict: number;
  /** Words of the party that the listed name lacks, and the other way round; persons and organisations. */
  readonly extraQuery: number;
  readonly extraListed: number;
  readonly extraOrganisation: number;
  /** A single word in common while one side has more words. */
  readonly singleWord: number;
  /** Numbers that differ, or that only one side has. */
  readonly numberConflict: number;
  readonly numberMissing: number;
  /** Legal forms of different classes. */
  readonly formConflict: number;
  /** Family and given name the other way round although both sides state which is which. */
  readonly swappedParts: number;
  /** An initial that contradicts a name or an initial of the other side. */
  readonly initialConflict: number;
  readonly acronym: number;
}

/** Added to the score of the name. */
export interface QualifierWeights {
  readonly birthDateEqual: number;
  readonly birthYearEqual: number;
  readonly birthDateNear: number;
  readonly birthDayDiffers: number;
  /** A roughly known year that is some years off. */
  readonly birthYearApart: number;
  readonly birthYearDiffers: number;
  readonly birthYearFar: number;
  readonly countryEqual: number;
  readonly countryDiffers: number;
  readonly organisationCountryDiffers: number;
  readonly genderDiffers: number;
  readonly identifierEqual: number;
  readonly identifierDiffers: number;
}

export const DEFAULT_CONFIG: ScreeningConfig = {
  threshold: 0.75,
  floor: 0.65,
  nearPerfectName: 0.92,
  thresholdBySource: {},
  weakAliasCap: 0.7,
  maxCandidates: 20,
  weights: {
    common: 0.75,
    short: 0.8,
    family: 1.2,
    initial: 0.35,
    particle: 0.12,
    kunya: 0.4,
    title: 0.05,
    softTitle: 0.3,
    generic: 0.42,
    light: 0.2,
    place: 0.4,
    placeExtra: 0.5,
    conflict: 1.2,
    extraQuery: 0.5,
    extraListed: 0.2,
    extraOrganisation: 1.1,
    singleWord: 0.6,
    numberConflict: 0.45,
    numberMissing: 0.6,
    formConflict: 0.68,
    swappedParts: 0.65,
    initialConflict: 0.78,
    acronym: 0.78,
  },
  qualifiers: {
    birthDateEqual: 0.06,
    birthYearEqual: 0.02,
    birthDateNear: -0.06,
    birthDayDiffers: -0.12,
    birthYearApart: -0.14,
    birthYearDiffers: -0.32,
    birthYearFar: -0.4,
    countryEqual: 0.02,
    countryDiffers: -0.08,
    organisationCountryDiffers: -0.15,
    genderDiffers: -0.25,
    identifierEqual: 0.98,
    identifierDiffers: -0.2,
  },
};

/** Identifies a configuration: equal hashes decide equally. */
export const configHash = (config: ScreeningConfig): string => sha256(canonicalJson(config));

/**
 * @throws RangeError naming the first setting that makes no sense
 */
export function checkConfig(config: ScreeningConfig): ScreeningConfig {
  const share = (name: string, value: number): void => {
    if (!(value >= 0 && value <= 1)) throw new RangeError(`${name} must be between 0 and 1, is ${value}.`);
  };
  share('threshold', config.threshold);
  share('floor', config.floor);
  share('nearPerfectName', config.nearPerfectName);
  share('weakAliasCap', config.weakAliasCap);
  for (const [source, value] of Object.entries(config.thresholdBySource)) share(`thresholdBySource.${source}`, value);
  const lowest = Math.min(config.threshold, ...Object.values(config.thresholdBySource));
  if (config.floor > lowest) throw new RangeError(`floor (${config.floor}) must not be above a threshold (${lowest}).`);
  if (config.weakAliasCap >= lowest) throw new RangeError('weakAliasCap must be below every threshold.');
  if (!Number.isInteger(config.maxCandidates) || config.maxCandidates < 1) {
    throw new RangeError('maxCandidates must be a whole number of at least 1.');
  }
  for (const [name, value] of Object.entries({ ...config.weights, ...config.qualifiers })) {
    if (!Number.isFinite(value)) throw new RangeError(`${name} must be a number, is ${value}.`);
  }
  return config;
}
