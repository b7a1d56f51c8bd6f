// Every code of the protocol, and those of brokers to come: few condemn a record, few stop a process, all others wait.
import { describe, expect, it } from 'vitest';
import { codedError, verdictOf } from './fault.ts';
import { createErrorFromCode } from './kafkajs/internals.ts';

/** Said of the records that were sent: the host finds the guilty one. */
const RECORDS = [10, 18, 32, 87];
/** Only an operator can mend these, by what the process ends with. */
const STOPS: Readonly<Record<string, readonly number[]>> = {
  KAFKA_UNAUTHORIZED: [29, 30, 31, 53],
  KAFKA_UNAUTHENTICATED: [33, 58],
  KAFKA_UNSUPPORTED: [35, 43],
  KAFKA_MISCONFIGURED: [12, 17, 23, 24, 26, 37, 38, 40, 42, 44, 50, 76],
};
/** Somebody else owns the transactional id, or the transaction was ended: fenced again, and taken back or given up. */
const FENCED = [47, 48, 49];
/** The group has moved on: joined again. */
const NOT_A_MEMBER = [22, 25, 27, 82];
/** Those that Kafka 4.x calls retriable, and what a client of it would do: try again, after fresh metadata or a pause. */
const RETRIABLE = [
  2, 3, 5, 6, 7, 9, 13, 14, 15, 16, 19, 20, 41, 51, 56, 70, 71, 72, 74, 75, 78, 80, 83, 84, 88, 89, 100, 103, 106, 110,
  119, 123, 125,
];
const CODES = Array.from({ length: 202 }, (_, index) => index - 1).filter((code) => code !== 0);

const codesOf = (faultClass: string) =>
  CODES.filter((code) => codedError(createErrorFromCode(code)).faultClass === faultClass);
const byVerdict = (verdict: string) => CODES.filter((code) => verdictOf(createErrorFromCode(code)) === verdict);

describe('codes of a broker', () => {
  it('condemn a record only when they are said of records', () => {
    expect(codesOf('poison')).toEqual(RECORDS);
  });

  it('stop a process only for authorisation, versions and settings, with a code and advice', () => {
    const stops: Record<string, number[]> = {};
    for (const number of codesOf('fatal')) {
      const { code, message } = codedError(createErrorFromCode(number));
      stops[code] = [...(stops[code] ?? []), number];
      expect(message, `${number}`).toMatch(/(Grant|Check|Use|Correct) /);
    }
    expect(stops).toEqual(STOPS);
  });

  it('take a partition away from us, or us out of the group, only where they say so', () => {
    expect(byVerdict('fenced')).toEqual(FENCED);
    expect(byVerdict('not-member')).toEqual(NOT_A_MEMBER);
  });

  it.each(RETRIABLE)('%i, which is retriable, waits: it condemns nothing and ends nothing', (code) => {
    const error = createErrorFromCode(code);
    for (const thrown of [error, Object.assign(new Error('retries exceeded'), { cause: error })]) {
      expect(codedError(thrown)).toMatchObject({
        code: 'KAFKA_REFUSED',
        faultClass: 'transient-dependency',
        dependency: 'kafka',
      });
      expect(verdictOf(thrown)).toBe('transient');
    }
  });

  it('that are in none of these lists wait too', () => {
    const listed = new Set([...RECORDS, ...Object.values(STOPS).flat(), ...FENCED, ...NOT_A_MEMBER, ...RETRIABLE]);
    for (const code of CODES.filter((each) => !listed.has(each))) {
      expect(codedError(createErrorFromCode(code)), `${code}`).toMatchObject({
        code: 'KAFKA_REFUSED',
        faultClass: 'transient-dependency',
      });
    }
  });

  it.each([-1, 120, 133, 140, 200])('%i, which this client does not know, waits', (code) => {
    expect(codedError(createErrorFromCode(code))).toMatchObject({ faultClass: 'transient-dependency' });
    expect(verdictOf(createErrorFromCode(code))).toBe('transient');
  });
});
