import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { codesBySubject, errorCodes } from './error-codes.ts';
import { CodedError } from './fault.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const entries = Object.entries(errorCodes);

/** Everything of the product but the catalogue: what a code must be used by. */
const product = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.ts'], { cwd: ROOT, encoding: 'utf8' })
  .trim()
  .split('\n')
  .filter((file) => existsSync(path.join(ROOT, file)))
  .filter(
    (file) => !/^(test|bench|docs|bin|samples|simulator)\/|\/testing\/|\.test\.ts$|^ports\/error-codes/.test(file),
  )
  .filter((file) => file !== 'domain/fault.ts' && file !== 'schemas/types.generated.ts');
const literals = new Set(
  product.flatMap((file) => [
    ...(readFileSync(path.join(ROOT, file), 'utf8').match(/(?<=')[A-Z][A-Z0-9_]+(?=')|\b[A-Z][A-Z0-9_]+(?=:)/g) ?? []),
  ]),
);

describe('the catalogue of error codes', () => {
  it('sees the product', () => expect(product.length).toBeGreaterThan(200));

  it('has no code that nothing uses', () => {
    // Codes of the provider's contract are put together from this and its word.
    const isUsed = (code: string) => literals.has(code) || literals.has(code.replace(/^PROVIDER_/, ''));
    expect(Object.keys(errorCodes).filter((code) => !isUsed(code))).toEqual([]);
  });

  it('has each code under one subject', () => {
    const listed = Object.values(codesBySubject).flatMap((codes) => Object.keys(codes));
    expect(listed.toSorted()).toEqual(Object.keys(errorCodes).toSorted());
  });

  it('says of each what to do, in a plain name', () => {
    for (const [code, { classes, action }] of entries) {
      expect(code).toMatch(/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/);
      expect(new Set(classes).size, code).toBe(classes.length);
      expect(action, code).toMatch(/^[A-Z].*[.]$/);
    }
  });

  it('answers a mistake of the caller with 4xx, and no error with 200', () => {
    for (const [code, { classes, status }] of entries) {
      if (classes[0] === 'invalid-request') expect(`${code} ${status}`).toMatch(/ 4\d\d$/);
      if (classes[0] !== 'notice') expect(`${code} ${status}`).not.toMatch(/ 200$/);
    }
  });
});

describe('a coded error', () => {
  it('has the first class of its code when it is given none', () => {
    expect(new CodedError('OPTION_INVALID', '').faultClass).toBe('invalid-request');
    expect(new CodedError('WRITER_CLOSED', '').faultClass).toBe('poison');
  });

  it('takes no code that is not in the catalogue, and no class that its code cannot have', () => {
    // @ts-expect-error no such code
    const unknown = () => new CodedError('NO_SUCH_CODE', '', { faultClass: 'poison' });
    // @ts-expect-error a request that is refused stops no process
    const wrong = () => new CodedError('OPTION_INVALID', '', { faultClass: 'fatal' });
    expect([unknown, wrong]).toHaveLength(2);
  });
});
