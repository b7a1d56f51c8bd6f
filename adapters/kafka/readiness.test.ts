// Refusals of a cluster that has just been given topics are waited out; what will not pass is told at once.
import { describe, expect, test } from 'vitest';
import { createErrorFromCode } from './kafkajs/internals.ts';
import { assertReady, insist } from './readiness.ts';

const LEADER_NOT_AVAILABLE = 5;
const NOT_LEADER_FOR_PARTITION = 6;
const REQUEST_TIMED_OUT = 7;
const COORDINATOR_LOADING = 14;
const COORDINATOR_NOT_AVAILABLE = 15;
const NOT_CONTROLLER = 41;
const TOPIC_AUTHORIZATION_FAILED = 29;
const UNKNOWN_TOPIC_OR_PARTITION = 3;
const INVALID_REPLICATION_FACTOR = 38;

/** Answers with these error codes, one after another, and then for ever with `last`. */
function broker(codes: readonly number[], last?: number) {
  let now = 0;
  const asked: number[] = [];
  const timeouts = {
    timeoutMs: 60_000,
    now: () => now,
    wait: async () => {
      now += 1_000;
    },
  };
  const request = async () => {
    asked.push(now);
    const code = codes[asked.length - 1] ?? last;
    if (code !== undefined) throw createErrorFromCode(code);
    return 'answered';
  };
  return { asked, answer: insist(request, timeouts) };
}

describe('a request to a cluster that is not ready', () => {
  test.each([
    ['leaders are chosen', [LEADER_NOT_AVAILABLE, NOT_LEADER_FOR_PARTITION, NOT_LEADER_FOR_PARTITION]],
    ['the broker hears of its topics', [UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_OR_PARTITION]],
    ['the coordinator is there', [COORDINATOR_NOT_AVAILABLE, COORDINATOR_LOADING, COORDINATOR_LOADING]],
    ['there is a controller', [NOT_CONTROLLER, REQUEST_TIMED_OUT]],
    ['enough brokers are registered', new Array<number>(29).fill(INVALID_REPLICATION_FACTOR)],
    ['all of it, for most of a minute', new Array<number>(58).fill(NOT_LEADER_FOR_PARTITION)],
  ])('is made again until %s', async (_, codes) => {
    const { asked, answer } = broker(codes);
    expect(await answer).toBe('answered');
    expect(asked).toHaveLength(codes.length + 1);
  });

  test('is given up at the deadline, with the last refusal', async () => {
    const { asked, answer } = broker([], NOT_LEADER_FOR_PARTITION);
    await expect(answer).rejects.toMatchObject({ code: 'KAFKA_REFUSED' });
    expect(asked.at(-1)).toBe(60_000);
  });

  test('is given up earlier when there are still too few brokers: that may be how it is set up', async () => {
    const { asked, answer } = broker([], INVALID_REPLICATION_FACTOR);
    await expect(answer).rejects.toMatchObject({ code: 'KAFKA_MISCONFIGURED' });
    expect(asked.at(-1)).toBe(30_000);
  });

  test('is not made again when that is no use', async () => {
    const { asked, answer } = broker([], TOPIC_AUTHORIZATION_FAILED);
    await expect(answer).rejects.toMatchObject({ code: 'KAFKA_UNAUTHORIZED' });
    expect(asked).toHaveLength(1);
  });
});

describe('topics are ready', () => {
  const wanted = [{ name: 'a', partitions: 4 }];
  const ready = { name: 'a', partitions: 4, leaderless: 0 };

  test('when every broker knows all partitions and their leaders', () => {
    expect(() => assertReady(wanted, [[ready], [ready], [{ ...ready, partitions: 6 }]])).not.toThrow();
  });

  test.each([
    ['one broker has not heard of the topic', []],
    ['one broker knows fewer partitions', [{ ...ready, partitions: 3 }]],
    ['a partition has no leader', [{ ...ready, leaderless: 1 }]],
  ])('not while %s', (_, known) => {
    const notReady = expect.objectContaining({ code: 'TOPICS_NOT_READY', faultClass: 'transient-dependency' });
    expect(() => assertReady(wanted, [[ready], known])).toThrow(notReady);
  });
});
