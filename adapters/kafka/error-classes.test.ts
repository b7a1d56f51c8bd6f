// Every code of the protocol, and those of brokers to come: few condemn a record, few stop a process, all others wait.
import { describe, expect, it } from 'vitest';
import { codedError, verdictOf } from './errors.ts';
import { createErrorFromCode } from './kafkajs/internals.ts';

/** Said of the records that were sent: the host finds the guilty one. */
const RECORDS = [10, 18, 32, 87];
const CODES = Array.from({ length: 202 }, (_, index) => index - 1).filter((code) => code !== 0);

const codesOf = (faultClass: string) =>
  CODES.filter((code) => codedError(createErrorFromCode(code)).faultClass === faultClass);

describe('codes of a broker', () => {
  it('condemn a record only when they are said of records', () => {
    expect(codesOf('poison')).toEqual(RECORDS);
  });

  it('stop a process only for authorisation, versions and settings', () => {
    const codes = new Set(codesOf('fatal').map((code) => codedError(createErrorFromCode(code)).code));
    expect([...codes].sort()).toEqual([
      'KAFKA_MISCONFIGURED',
      'KAFKA_UNAUTHENTICATED',
      'KAFKA_UNAUTHORIZED',
      'KAFKA_UNSUPPORTED',
    ]);
  });

  it.each([-1, 120, 133, 140, 200])('%i, which this client does not know, waits', (code) => {
    expect(codedError(createErrorFromCode(code))).toMatchObject({ faultClass: 'transient-dependency' });
    expect(verdictOf(createErrorFromCode(code))).toBe('transient');
  });
});
