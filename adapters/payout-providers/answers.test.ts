// Every status that HTTP has, with every kind of body, for each call: what is an answer, what is a promise that nothing was or
// will be paid, and what leaves it open. What is open is asked about; only a promise lets another attempt begin.
import { describe, expect, it } from 'vitest';
import { cancelResult, queryResult, submitResult } from './answers.ts';
import type { Exchange } from './exchange.ts';

const KEY = 't-1:1';
const AS_OF = '2026-11-23T10:14:31.006Z';
const STATUSES = Array.from({ length: 500 }, (_, n) => 100 + n);
const REFUSING = [400, 409, 410, 422];
const ok = (status: number) => status >= 200 && status < 300;

const echoed = {
  transferId: 't-1',
  endToEndId: 'E2E-1',
  amount: { minor: '1', currency: 'INR' },
  beneficiaryDigest: '0'.repeat(64),
};
const view = (state: string, more: object = {}) =>
  JSON.stringify({ idempotencyKey: KEY, state, ...echoed, asOf: AS_OF, ...more });
const refusal = (code: string, definitive: boolean, more: object = {}) =>
  JSON.stringify({ code, definitive, message: '', asOf: AS_OF, ...more });
const answered = (status: number, body: string, isJson = true): Exchange => ({
  kind: 'answered',
  status,
  retryAfter: undefined,
  isJson,
  body,
});

/** Bodies that say nothing, whatever the status. */
const NOTHING: Readonly<Record<string, Exchange | string>> = {
  'no body': '',
  'half a body': view('PAID').slice(0, 40),
  'a page': '<html>not here</html>',
  'a list': '[]',
  null: 'null',
  'another key': view('PAID', { idempotencyKey: 't-9:1' }),
  'a state that there is not': view('MAYBE'),
  'no clock': view('PAID', { asOf: undefined }),
  'a clock that is none': view('PAID', { asOf: 'today' }),
  'an amount that is none': view('PAID', { amount: { minor: '1e3', currency: 'INR' } }),
  'less than was asked for': JSON.stringify({ idempotencyKey: KEY, state: 'PAID', asOf: AS_OF }),
  'a refusal without its clock': JSON.stringify({ code: 'DECLINED', definitive: true }),
  'a refusal whose promise is a word': JSON.stringify({ code: 'DECLINED', definitive: 'true', asOf: AS_OF }),
};
const STATES = ['ACCEPTED', 'PAID', 'RETURNED', 'FAILED', 'REFUSED', 'EXPIRED', 'CANCELLED'];
const PROMISING = ['INVALID_REQUEST', 'EXPIRED', 'DECLINED', 'CANCELLED', 'SOMETHING_OF_ITS_OWN'];
const NEVER_PROMISING = [
  'IDEMPOTENCY_MISMATCH',
  'ALREADY_EXECUTED',
  'NOT_FOUND',
  'RATE_LIMITED',
  'UNAUTHORIZED',
  'INTERNAL',
  'UNAVAILABLE',
];

/** Statuses for which a submit is answered with this kind. */
const submitted = (body: string, kind: string, isJson = true) =>
  STATUSES.filter((status) => submitResult(KEY, answered(status, body, isJson)).kind === kind);

describe('a submit', () => {
  it.each(Object.keys(NOTHING))('answered with %s stays open, whatever the status', (name) => {
    expect(submitted(NOTHING[name] as string, 'unknown')).toEqual(STATUSES);
  });

  it.each(STATES)('is observed as %s where the status says success, and open elsewhere', (state) => {
    expect(submitted(view(state), 'observed')).toEqual(STATUSES.filter(ok));
    expect(submitted(view(state), 'unknown')).toEqual(STATUSES.filter((status) => !ok(status)));
    expect(submitted(view(state), 'unknown', false)).toEqual(STATUSES);
  });

  it.each(PROMISING)(
    'refused for good with %s is over where the status refuses requests, and open elsewhere',
    (code) => {
      expect(submitted(refusal(code, true), 'observed')).toEqual(REFUSING);
      expect(submitted(refusal(code, true, { state: 'REFUSED' }), 'observed')).toEqual(REFUSING);
      expect(submitted(refusal(code, false), 'unknown')).toEqual(STATUSES);
    },
  );

  it.each(PROMISING)('refused for good with %s, and with a payout, stays open: it contradicts itself', (code) => {
    for (const state of ['ACCEPTED', 'PAID', 'RETURNED', 'ANYTHING']) {
      expect(submitted(refusal(code, true, { state }), 'unknown')).toEqual(STATUSES);
    }
  });

  it.each(NEVER_PROMISING)('refused with %s stays open, also where it calls itself definitive', (code) => {
    for (const definitive of [true, false]) expect(submitted(refusal(code, definitive), 'unknown')).toEqual(STATUSES);
  });

  it('that was not sent is not sent, and one without an answer stays open', () => {
    expect(submitResult(KEY, { kind: 'not-sent', code: 'HTTP_ERROR', detail: '' })).toMatchObject({
      kind: 'not-sent',
    });
    expect(submitResult(KEY, { kind: 'unanswered', code: 'HTTP_ERROR', detail: '' })).toMatchObject({
      kind: 'unknown',
    });
  });
});

describe('a query', () => {
  const answers = (body: string, kind: string) =>
    STATUSES.filter((status) => queryResult(KEY, answered(status, body)).kind === kind);

  it.each(Object.keys(NOTHING))('answered with %s is no answer, whatever the status', (name) => {
    expect(answers(NOTHING[name] as string, 'no-answer')).toEqual(STATUSES);
  });

  it.each(STATES)('says %s where the status says success', (state) => {
    expect(answers(view(state), 'observed')).toEqual(STATUSES.filter(ok));
  });

  it('finds nothing only where both code and status say so', () => {
    for (const definitive of [true, false])
      expect(answers(refusal('NOT_FOUND', definitive), 'not-found')).toEqual([404]);
  });

  it.each([...PROMISING, ...NEVER_PROMISING.filter((code) => code !== 'NOT_FOUND')])(
    'refused with %s proves nothing',
    (code) => {
      for (const definitive of [true, false]) expect(answers(refusal(code, definitive), 'no-answer')).toEqual(STATUSES);
    },
  );
});

describe('a cancel', () => {
  const answers = (body: string, kind: string) =>
    STATUSES.filter((status) => cancelResult(KEY, answered(status, body)).kind === kind);

  it.each(Object.keys(NOTHING))('answered with %s is no answer, whatever the status', (name) => {
    expect(answers(NOTHING[name] as string, 'no-answer')).toEqual(STATUSES);
  });

  it('is confirmed by the payout alone, and comes too late by its code alone', () => {
    expect(answers(view('CANCELLED'), 'observed')).toEqual(STATUSES.filter(ok));
    for (const code of [...PROMISING, ...NEVER_PROMISING]) {
      const kind = code === 'ALREADY_EXECUTED' ? 'too-late' : 'no-answer';
      for (const definitive of [true, false])
        expect(answers(refusal(code, definitive), kind)).toEqual(
          STATUSES.filter((status) => !ok(status))
            .concat(kind === 'no-answer' ? STATUSES.filter(ok) : [])
            .toSorted((a, b) => a - b),
        );
    }
  });
});
