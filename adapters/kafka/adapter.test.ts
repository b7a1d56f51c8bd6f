// The small decisions of the adapter: codes, refusals, waiting.
import { describe, expect, test } from 'vitest';
import { CodedError } from '../../ports/fault.ts';
import { ArrivalRate } from './arrival-rate.ts';
import { BrokenClientDeadline, UnknownTopicDeadline } from './error-deadlines.ts';
import { brokerErrorType, codedError, consumerFaultOf, verdictOf } from './fault.ts';
import { assertKafkaJsVersion, createErrorFromCode, type FetchedPartition } from './kafkajs/internals.ts';
import { settingsOf, topicIdentity } from './options.ts';
import { Source } from './source.ts';

const options = { brokers: ['b:1'], appName: 'corridor', clientId: 'c' };

describe('the pinned client', () => {
  test('is refused in any other version', () => {
    expect(() => assertKafkaJsVersion('2.2.4')).not.toThrow();
    expect(() => assertKafkaJsVersion('2.3.0')).toThrow(expect.objectContaining({ code: 'KAFKAJS_VERSION' }));
  });
});

describe('unsafe switches', () => {
  const unsafe = { noFencing: true };
  test('are refused outside tests', () => {
    const allowed = { CORRIDOR_ENV: 'test', CORRIDOR_UNSAFE_FOR_TESTS: '1' };
    for (const env of [
      {},
      { NODE_ENV: 'test' },
      { CORRIDOR_UNSAFE_FOR_TESTS: '1' },
      { CORRIDOR_ENV: 'test' },
      { ...allowed, CORRIDOR_ENV: 'production' },
    ]) {
      const taken = () => settingsOf({ ...options, unsafe }, env);
      expect(taken, JSON.stringify(env)).toThrow(expect.objectContaining({ code: 'UNSAFE_REFUSED' }));
    }
    expect(settingsOf({ ...options, unsafe }, allowed).unsafe.noFencing).toBe(true);
    expect(settingsOf({ ...options, unsafe }, { ...allowed, CORRIDOR_ENV: 'development' }).unsafe.noFencing).toBe(true);
    const byName = settingsOf({ ...options, unsafe: { topicsByName: true } }, allowed);
    expect(topicIdentity(byName, 'name', 'id')).toBe('name');
    expect(topicIdentity(settingsOf(options, {}), 'name', 'id')).toBe('id');
    expect(settingsOf(options, {}).unsafe).toEqual({
      noFencing: false,
      offsetsOutsideTransaction: false,
      topicsByName: false,
    });
  });
});

describe('errors', () => {
  const wrapped = (code: number) => Object.assign(new Error('retries exceeded'), { cause: createErrorFromCode(code) });
  test.each([
    [47, 'INVALID_PRODUCER_EPOCH', 'FENCED', 'fenced'],
    [22, 'ILLEGAL_GENERATION', 'NOT_A_MEMBER', 'not-member'],
    [25, 'UNKNOWN_MEMBER_ID', 'NOT_A_MEMBER', 'not-member'],
    [29, 'TOPIC_AUTHORIZATION_FAILED', 'KAFKA_UNAUTHORIZED', 'fatal'],
    [53, 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'KAFKA_UNAUTHORIZED', 'fatal'],
    [10, 'MESSAGE_TOO_LARGE', 'RECORD_TOO_LARGE', 'transient'],
    [6, 'NOT_LEADER_FOR_PARTITION', 'KAFKA_REFUSED', 'transient'],
  ])('%i is %s: %s, %s', (number, type, code, verdict) => {
    for (const error of [createErrorFromCode(number), wrapped(number)]) {
      expect(brokerErrorType(error)).toBe(type);
      expect(codedError(error).code).toBe(code);
      expect(verdictOf(error)).toBe(verdict);
    }
  });

  test('that are bugs of the client are told as such, and are no reason to end', () => {
    expect(consumerFaultOf(new TypeError("reading 'x' of undefined"))).toMatchObject({
      code: 'CLIENT_BUG',
      severity: 'transient',
    });
  });

  test('that have a code keep it', () => {
    const error = new CodedError('CONFIG_INVALID', 'else', { faultClass: 'fatal' });
    expect(codedError(error)).toBe(error);
    expect(verdictOf(error)).toBe('fatal');
  });
});

describe('a topic that is unknown', () => {
  const unknown = createErrorFromCode(3);
  test('is missing when it stays so for 15 s', () => {
    const deadline = new UnknownTopicDeadline();
    expect(deadline.passed(unknown, 0)).toBeUndefined();
    for (let now = 1_000; now < 15_000; now += 1_000) expect(deadline.passed(unknown, now)).toBeUndefined();
    expect(deadline.passed(unknown, 15_000)).toMatchObject({ code: 'TOPIC_UNKNOWN', severity: 'fatal' });
  });

  test('is forgotten after a pause, and other errors do not count', () => {
    const deadline = new UnknownTopicDeadline();
    deadline.passed(unknown, 0);
    expect(deadline.passed(unknown, 20_000)).toBeUndefined();
    expect(deadline.passed(new Error('other'), 40_000)).toBeUndefined();
  });
});

describe('lingering', () => {
  test('does not pay at rest, nor when fewer than one more record is to be expected', () => {
    const rate = new ArrivalRate();
    const start = performance.now();
    expect(rate.worthwhile(20, start)).toBe(0);
    for (let ms = 100; ms <= 3_000; ms += 100) rate.add(1, start + ms); // 10 a second
    expect(rate.worthwhile(20, start + 3_000)).toBe(0);
    expect(rate.worthwhile(200, start + 3_000)).toBe(200);
  });

  test('pays under load, and no more once the load is gone', () => {
    const rate = new ArrivalRate();
    const start = performance.now();
    for (let ms = 20; ms <= 2_000; ms += 20) rate.add(5, start + ms); // 250 a second
    expect(rate.worthwhile(20, start + 2_000)).toBe(20);
    expect(rate.worthwhile(20, start + 12_000)).toBe(0);
  });
});

describe('a source', () => {
  const fetched = (offsets: readonly number[], lastStableOffset = 100): FetchedPartition => ({
    partition: 0,
    errorCode: 0,
    highWatermark: String(lastStableOffset),
    lastStableOffset: String(lastStableOffset),
    abortedTransactions: [],
    messages: offsets.map((offset) => ({
      offset,
      timestamp: 0,
      key: null,
      value: null,
      headers: {},
      isControlRecord: false,
      batchContext: {
        firstOffset: offset,
        lastOffsetDelta: 0,
        producerId: '1',
        inTransaction: false,
        isControlBatch: false,
      },
    })),
  });
  const offsetsOf = (source: Source) => source.take(100).map(({ offset }) => offset);

  test('takes what begins before its position from there on', () => {
    const source = new Source('t', 0);
    source.seek(5);
    source.accept(fetched([3, 4, 5, 6]), source.seeks);
    expect(offsetsOf(source)).toEqual([5, 6]);
    expect(source.position).toBe(7);
  });

  test('takes nothing twice when an older answer comes late', () => {
    const source = new Source('t', 0);
    source.seek(0);
    source.accept(fetched([0, 1, 2]), source.seeks);
    source.accept(fetched([0, 1]), source.seeks);
    source.accept(fetched([1, 2, 3]), source.seeks);
    expect(offsetsOf(source)).toEqual([0, 1, 2, 3]);
  });

  test('ignores an answer to a question asked before it was moved', () => {
    const source = new Source('t', 0);
    source.seek(0);
    const before = source.seeks;
    source.seek(50);
    source.accept(fetched([0, 1, 2]), before);
    expect(source.buffered).toBe(0);
    expect(source.position).toBe(50);
  });

  test('gives records in pieces, in order', () => {
    const source = new Source('t', 0);
    source.seek(0);
    source.accept(fetched([0, 1, 2]), source.seeks);
    expect(source.take(2).map(({ offset }) => offset)).toEqual([0, 1]);
    source.accept(fetched([3]), source.seeks);
    expect(offsetsOf(source)).toEqual([2, 3]);
  });
});

describe('a client that fails for no reason of the broker', () => {
  const bug = new Error('Broker not connected');
  const away = Object.assign(new Error('closed'), { name: 'KafkaJSConnectionError' });

  test('is given up when nothing else has come of it for a minute', () => {
    const deadline = new BrokenClientDeadline();
    expect(deadline.passed(bug, 0)).toBeUndefined();
    expect(deadline.passed(bug, 59_000)).toBeUndefined();
    expect(deadline.passed(bug, 60_000)).toMatchObject({ code: 'CLIENT_BROKEN', faultClass: 'fatal' });
  });

  test('is not when it has worked, or the broker was away, in between', () => {
    const deadline = new BrokenClientDeadline();
    deadline.passed(bug, 0);
    deadline.worked();
    expect(deadline.passed(bug, 60_000)).toBeUndefined();
    expect(deadline.passed(away, 100_000)).toBeUndefined();
    expect(deadline.passed(bug, 125_000)).toBeUndefined();
  });
});
