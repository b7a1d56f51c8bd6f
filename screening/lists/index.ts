export { diffLists, entitiesToScreen, type ListDiff, type ListLoss, lossIn, refuseShrunk } from './diff.ts';
export * from './entity.ts';
export { parseEuAnnexes, parseEuConsolidated } from './eu.ts';
export { type ListRefusalCode, ListRefused } from './fault.ts';
export { type OfacFiles, type OfacOptions, parseOfac } from './ofac.ts';
export { type ByteSource, HybridDecoder } from './source.ts';
export { parseUk } from './uk.ts';
export { parseUn } from './un.ts';
