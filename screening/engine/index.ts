export {
  checkConfig,
  configHash,
  DEFAULT_CONFIG,
  type NameWeights,
  type QualifierWeights,
  type ScreeningConfig,
} from './config.ts';
export type { Feature, FeatureName } from './features.ts';
export { buildIndex, ENGINE_VERSION, type IndexSource, type ScreeningIndex } from './index-build.ts';
export { normaliseName, wordsOf } from './normalise.ts';
export { comparePair, compareParties, type PairResult } from './pair.ts';
export { type Party, readParty } from './party.ts';
export {
  type Candidate,
  type Evidence,
  evidenceOf,
  type ListedFacts,
  type Outcome,
  type Reproduction,
  reproduce,
  type Screening,
  screenParty,
  type UnscreenableCode,
} from './screen.ts';
