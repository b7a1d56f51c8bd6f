// Words that are no longer used in names, each with the word that took its place (docs/glossary.md).
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '..');

/** A word as it begins a file's name or stands between two dashes of it, and what to say instead. */
const RETIRED_IN_FILES: Readonly<Record<string, string>> = {
  arrivals: 'inbound-records',
  detours: 'recovery-records, recovery-trail',
  strangers: 'orphans',
  refusals: 'refused-batches',
  flaws: 'invariants',
  marks: 'progress-notes',
  looks: 'output-lookup',
  'kept-bytes': 'pass-through',
  tell: 'explain-…',
  room: 'built-index',
  here: 'in-process',
  patience: 'error-deadlines',
  edges: 'boundary',
  'carry-on': 'carry-over',
  told: 'expected-findings',
  errors: 'fault, error-codes',
  patiently: 'until-it-works',
};

/** Names of code, whole, and what to say instead. */
const RETIRED_IN_CODE: Readonly<Record<string, string>> = {
  Faults: 'Violations',
  LogFault: 'ConsumerFault',
  FatalLogFault: 'FatalConsumerFault',
  Arrival: 'InboundRecord',
  ArrivalOptions: 'InboundOptions',
  createArrivals: 'inboundReader',
  Detour: 'RecoveryTerms',
  Detours: 'RecoveryTrail',
  StoredDetour: 'StoredTrail',
  sealsDetours: 'sealsRecovery',
  sealedDetour: 'sealedRecovery',
  detourFlaw: 'recoverySealFlaw',
  Looks: 'OutputLookup',
  Marks: 'ProgressNote',
  Refusals: 'RefusedBatches',
  RecentTroubles: 'RecentOutages',
  Standing: 'StoppedPart, ReachedState, ClaimOutcome, ReadStop',
  ReviewStanding: 'ReviewVerdict',
  standingsIn: 'verdictsIn',
  onStanding: 'onStopped',
  tellOfDropped: 'reportDropped',
  transitionFault: 'brokenTransition',
  told: 'reported, logged, or what it is',
  Told: 'what it is: ActResult, Notice',
  nudge: 'pollNow, dueNow, recountSoon',
  heldPayouts: 'otherProviderPayouts',
  payoutsHeld: 'payoutsOfOtherProviders',
  patiently: 'untilItWorks',
  patienceMs: 'timeoutMs',
  unreadablePatienceMs: 'unreadableTimeoutMs',
  patienceFor: 'timeoutFor',
  patienceOver: 'isTriedEnough',
  PATIENCE: 'a timeout',
  PATIENCE_MS: 'TIMEOUT_MS',
  PATIENT: 'POLLING',
  TopicPatience: 'UnknownTopicDeadline',
  BrokenClientPatience: 'BrokenClientDeadline',
  cannotTell: 'answerUnknown',
  tellEvidence: 'explainEvidence',
  openIndexHere: 'openInProcessIndex',
  IndexRoom: 'BuiltIndex',
  PartName: 'ServerKind',
  PART_NAMES: 'SERVER_KINDS',
  ProvidedServer: 'RunServer',
  maxInHand: 'maxUnsettled',
  Slots: 'Semaphore',
  misfitOf: 'unpayableReason',
  loseSight: 'markUnknown',
  Stranger: 'Orphan',
  inHand: 'what it is: reached, underWay, begun',
  untold: 'unreported',
};

/** Names of code in what pays, whole: elsewhere they may mean what they say. */
const RETIRED_IN_PAYOUTS: Readonly<Record<string, string>> = {
  inHand: 'unsettled',
  flawOf: 'brokenInvariant',
  slots: 'semaphore, permits',
  slotMs: 'windowMs',
  heard: 'observed',
  lost: 'unknown, unanswered, or what it is',
  said: 'echoed',
  surely: 'earliest',
  patience: 'deadline, maxWaitMs',
  patiently: 'until',
  marks: 'statusMarkStage',
};
const PAYS =
  /^(payouts|adapters\/queue|test\/kit\/payouts)\/|^adapters\/(mongo\/payout|payout-providers\/)|^services\/process-parts\/payout/;

/** How long something is tried is a timeout. */
const TRIED_FOR = /\b[A-Z]+_PATIENCE(_MS)?\b/g;
/**
 * What a use-case or a composition root is handed, and what a seal covers, are no parts. A process has parts, and the engine a
 * weight for parts of a name that change places.
 */
const PARTS = /\b(?!Process|keysOf|composed|stopped|run|swapped|formatTo)[A-Za-z]+Parts\b/g;
/** Bounds say MAX_ and MIN_. */
const BOUND = /\b(MOST|LEAST|LONGEST|SHORTEST|LARGEST|SMALLEST)_[A-Z]/g;
/** The stand-in is frozen; released schemas are what they were. */
const LEFT_ALONE = /^(tools\/mongod-stand-in\/|schemas\/released\/)|retired-words\.test\.ts$/;

const files = execFileSync('git', ['ls-files', '*.ts', '*.mjs'], { cwd: ROOT, encoding: 'utf8' })
  .split('\n')
  .filter((file) => file !== '' && !LEFT_ALONE.test(file));

describe('a retired word', () => {
  it('is in the name of no file', () => {
    const found = files.flatMap((file) => {
      const name = path.basename(file).replace(/\..*$/, '');
      const word = Object.keys(RETIRED_IN_FILES).find((each) => `-${name}-`.includes(`-${each}-`));
      return word === undefined ? [] : [`${file}: ${word} is called ${RETIRED_IN_FILES[word]}`];
    });
    expect(found).toEqual([]);
  });

  it('is the name of nothing in the code, and no bound says most or least', () => {
    const found = files.flatMap((file) => {
      const code = withoutText(readFileSync(path.join(ROOT, file), 'utf8'));
      return [
        ...retiredNames(code, RETIRED_IN_CODE).map((word) => `${file}: ${word}`),
        ...[...code.matchAll(PARTS)].map(([name]) => `${file}: ${name} is called …Components, or …Content`),
        ...[...code.matchAll(TRIED_FOR)].map(([name]) => `${file}: ${name} is called …_TIMEOUT_MS`),
        ...[...code.matchAll(BOUND)].map(([name]) => `${file}: ${name}… is called MAX_… or MIN_…`),
      ];
    });
    expect([...new Set(found)]).toEqual([]);
  });

  it('is the name of nothing in what pays', () => {
    const paying = files.filter((file) => PAYS.test(file));
    expect(paying.length).toBeGreaterThan(40);
    const found = paying.flatMap((file) => {
      const code = withoutText(readFileSync(path.join(ROOT, file), 'utf8'));
      return retiredNames(code, RETIRED_IN_PAYOUTS).map((word) => `${file}: ${word}`);
    });
    expect([...new Set(found)]).toEqual([]);
  });
});

it('the glossary has a row for each word, once', () => {
  const rows = readFileSync(path.join(ROOT, 'docs/glossary.md'), 'utf8').matchAll(/^\| (\*\*[^|]+) \|/gm);
  const words = [...rows].flatMap(([, cell]) =>
    [...cell!.matchAll(/\*\*([^*]+)\*\*(?: \(([^)]+)\))?/g)].map(([word]) => word),
  );
  expect(words.length).toBeGreaterThan(100);
  expect(words.filter((word, at) => words.indexOf(word) !== at)).toEqual([]);
});

/** Comments are read by people who did not write them: what riddles say has plainer words. */
const RIDDLES: readonly (readonly [RegExp, string])[] = [
  [/(?<![Tt]here )\b(?:is|are|was|were) none\b/, 'say what it is not'],
  [/\btold of\b/, 'said of, reported'],
];

it('no comment of the product says "is none" of what is named before, or "told of"', () => {
  const found = files.flatMap((file) => {
    if (file.endsWith('.test.ts')) return [];
    const comments = readFileSync(path.join(ROOT, file), 'utf8').match(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/[^\n]*/g) ?? [];
    const text = comments.join('\n').replace(/\s*\n\s*(?:\*|\/\/)?\s*/g, ' ');
    return RIDDLES.flatMap(([riddle, instead]) => {
      const [said] = riddle.exec(text) ?? [];
      return said === undefined ? [] : [`${file}: "${said}": ${instead}`];
    });
  });
  expect(found).toEqual([]);
});

function retiredNames(code: string, retired: Readonly<Record<string, string>>): readonly string[] {
  const names = new RegExp(`\\b(${Object.keys(retired).join('|')})\\b`, 'g');
  return [...code.matchAll(names)].map(([name]) => `${name} is called ${retired[name]}`);
}

/** The code without its comments and quoted texts, roughly: words of people are not names. */
function withoutText(code: string): string {
  return code.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:[^'\\\n]|\\.)*'/g, '');
}
