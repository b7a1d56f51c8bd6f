// By which version a process decides: by the one that counts, or by none.
import { describe, expect, it } from 'vitest';
import { CORRIDORS } from '../../domain/corridors/corridor-table.ts';
import { BUILT_IN_TERMS, corridorTerms } from '../../domain/terms/corridor-terms.ts';
import { termBook } from '../../domain/terms/term-book.ts';
import { configuredVersion } from '../../processors/policies.ts';
import type { PolicyVersion } from '../../schemas/types.generated.ts';
import { canonicalJson } from '../approvals/acts.ts';
import { hashOfPolicy, type ReadVersion, readVersion, versionToGoBy } from './versions.ts';

const CONFIGURED = configuredVersion('configured');
const record = (version: number, content: unknown, over: Partial<PolicyVersion> = {}): PolicyVersion => {
  const text = canonicalJson(content);
  return {
    ...{ kind: 'limits', version, content: text, contentHash: hashOfPolicy(text), validFrom: 0, activatedAt: 0 },
    ...{ askedBy: 'asha', approvedBy: 'ben', approvalId: `a-${version}`, reason: 'r', ...over },
  };
};
/** Version n was taken at n × 100. This process reads texts alone. */
const read = (version: number, content: unknown, over: Partial<PolicyVersion> = {}): ReadVersion<string> =>
  readVersion({ record: record(version, content, over), appendedAt: version * 100 }, (said) => {
    if (typeof said !== 'string') throw new Error('it is no text');
    return said;
  });
const goBy = (at: number, ...versions: readonly ReadVersion<string>[]) => versionToGoBy(versions, CONFIGURED, at);
const waits = (message: RegExp) =>
  expect.objectContaining({
    code: 'POLICY_UNUSABLE',
    faultClass: 'transient-dependency',
    message: expect.stringMatching(message),
  });

describe('a version that counts and that this process cannot use', () => {
  it('is waited for: nothing is decided by the one before it', () => {
    const versions = [read(1, 'one'), read(2, { of: 'a newer release' })];
    expect(goBy(150, ...versions).content).toBe('one');
    expect(() => goBy(200, ...versions)).toThrow(waits(/limits\/2 counts and cannot be used here: it is no text/));
    // What comes behind it counts from its own time on.
    expect(goBy(300, ...versions, read(3, 'three')).content).toBe('three');
    expect(() => goBy(250, ...versions, read(3, 'three'))).toThrow(waits(/limits\/2/));
  });

  it('is no reason to wait before it has begun', () => {
    expect(goBy(250, read(1, 'one'), read(2, {}, { validFrom: 300 })).content).toBe('one');
  });

  it('is one of its corridors too: terms outlive the table of corridors, but none may be without a margin', () => {
    const set = corridorTerms(CORRIDORS, BUILT_IN_TERMS);
    const more = [...CORRIDORS, { ...CORRIDORS[0]!, id: 'GB-ZZ' }];
    expect(() => termBook(set, more, () => new Set())).toThrow(/GB-ZZ: not every transfer has a margin/);
    expect(termBook(set, CORRIDORS.slice(1), () => new Set()).set).toBe(set);
  });
});

describe('what nobody put in force', () => {
  it.each([
    ['of one person', { approvedBy: 'Asha' }],
    ['of a program alone', { approvedBy: 'hold-expiry' }],
    ['of no approval', { approvalId: ' ' }],
    ['whose hash is of another content', { contentHash: '0'.repeat(64) }],
  ])('a version %s counts nothing, and the one before it holds', (_, over) => {
    expect(read(2, 'two', over).flaw).toBeDefined();
    expect(goBy(900, read(1, 'one'), read(2, 'two', over)).content).toBe('one');
    expect(goBy(900, read(1, 'one'), read(2, 'two', over), read(3, 'three')).content).toBe('three');
  });
});

describe('a log with a hole', () => {
  it('tells no version between those that are left', () => {
    const left = [read(1, 'one'), read(3, 'three')];
    expect(goBy(300, ...left).content).toBe('three');
    expect(() => goBy(250, ...left)).toThrow(waits(/limits\/2 is missing/));
    expect(() => goBy(50, read(2, 'two'))).toThrow(waits(/limits\/1 is missing/));
    expect(goBy(50, read(1, 'one')).content).toBe('configured');
  });
});
