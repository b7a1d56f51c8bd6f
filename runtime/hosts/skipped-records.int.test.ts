// A record is skipped by its consumer alone, once, on a real broker: whenever the process dies on the way, and with one beside it
// that stalled and goes on when another has done it.
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { groupId } from '../../ports/consumer-groups/names.ts';
import type { RecordSkips } from '../../ports/record-skips.ts';
import { accepted } from '../../test/kit/events.ts';
import { idsOf, POLLING, recordOf, StagesOnKafka } from '../../test/kit/stages-on-kafka.ts';
import { headerText, RECOVERY_HEADER } from '../../topics/headers.ts';
import { clearing, idOf } from './testing/clearing.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const APP = 'skips';
const INPUT = 'transfer.accepted';
const OUTPUT = 'transfer.screened';
const LETTERS = 'screening.dlq';

let stages: StagesOnKafka;
/** Called at every failpoint of the log while it is set. */
let atFailpoint: ((name: string) => Promise<void> | void) | undefined;
beforeAll(async () => {
  stages = await StagesOnKafka.start(APP, ['screening'], async (name) => atFailpoint?.(name));
});
afterAll(() => stages.close());

const stopping = (stuck: string) =>
  clearing({
    decide: (received) =>
      idOf(received) === stuck ? { kind: 'stop', cause: { code: 'RATE_MISSING', detail: 'x' } } : undefined,
  });

/** Everybody may skip; `begin` is what a test makes of it. */
const skips = (begin: () => Promise<boolean> = async () => true): RecordSkips => ({
  approved: async ({ offset }) => ({ approvalId: `ask-${offset}`, askedBy: 'Asha', approvedBy: 'Ben' }),
  begin,
});

async function feed(prefix: string): Promise<readonly string[]> {
  const ids = idsOf(prefix, 5);
  await stages.send(ids.map((id) => recordOf(INPUT, id, accepted({ transferId: id, partitions: 1 }))));
  return ids;
}

const screenedOf = async (ids: readonly string[]) => (await stages.keysOf(OUTPUT)).filter((id) => ids.includes(id));
const lettersOf = async (ids: readonly string[]) =>
  (await stages.committed(LETTERS)).filter(({ key }) => ids.includes(String(key)));
const position = () =>
  stages.withAdmin(async (admin) => {
    const offsets = await admin.committed(groupId(APP, 'screening'), [INPUT], { evenUnstable: true });
    return offsets[0]?.offset ?? 0;
  });

/** All of them but the second came out once, and the second is one letter that names its skip. */
async function expectSkippedOnce(ids: readonly string[]): Promise<void> {
  const others = ids.filter((_, place) => place !== 1);
  await vi.waitFor(async () => expect(await screenedOf(ids)).toEqual(others), POLLING);
  const letters = await lettersOf(ids);
  expect(letters.map(({ key }) => String(key))).toEqual([ids[1]]);
  expect(headerText(letters[0]!.headers, RECOVERY_HEADER.deadLetterClass)).toBe('skipped');
  expect(headerText(letters[0]!.headers, RECOVERY_HEADER.skipId)).toMatch(/^ask-\d+$/);
}

/** Stages are started again as their process would, until they have come through. */
async function startedUntilThrough(stuck: string, ids: readonly string[], more: RecordSkips): Promise<void> {
  for (let starts = 0; (await screenedOf(ids)).length < ids.length - 1; starts++) {
    expect(starts).toBeLessThan(10);
    const host = await stages.started(stopping(stuck), { skips: more });
    const isThrough = vi.waitFor(async () => expect(await screenedOf(ids)).toHaveLength(ids.length - 1), POLLING);
    await Promise.race([isThrough, host.failed.catch(() => undefined)]);
    await host.stop(2_000);
    isThrough.catch(() => undefined);
  }
}

describe('a skip on a real broker', () => {
  test.each(['eos.before-send', 'eos.after-send', 'eos.after-send-offsets', 'eos.commit-sent', 'eos.after-commit'])(
    'is done once, and the position moves once, when it breaks at %s',
    async (name) => {
      const ids = await feed(`at-${name.replaceAll('.', '-')}`);
      const before = await position();
      let broken = 0;
      // The commit of the skip alone: what comes before it is committed by the first start.
      const more = skips(async () => {
        atFailpoint = (at) => {
          if (at !== name || broken > 0) return;
          broken++;
          throw new Error(`broken at ${at}`);
        };
        return true;
      });
      await startedUntilThrough(ids[1]!, ids, more);
      atFailpoint = undefined;
      expect(broken).toBe(1);
      await expectSkippedOnce(ids);
      expect(await position()).toBeGreaterThanOrEqual(before + ids.length);
    },
  );

  test('of a process that stalls right before it, and goes on when another has skipped the record, changes nothing more', async () => {
    const ids = await feed('zombie');
    const stalled = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    const first = await stages.started(stopping(ids[1]!), { skips: skips() });
    // It commits what comes before, and stops: the next start comes to the record.
    await first.failed.catch(() => undefined);
    await first.stop(0);
    const zombie = await stages.started(stopping(ids[1]!), {
      skips: skips(async () => {
        reached.resolve();
        await stalled.promise;
        return true;
      }),
    });
    await reached.promise;
    const stopped = zombie.stop(0);
    await stages.started(stopping(ids[1]!), { skips: skips() });
    await vi.waitFor(async () => expect(await screenedOf(ids)).toHaveLength(ids.length - 1), POLLING);
    stalled.resolve();
    await stopped;
    await expectSkippedOnce(ids);
    const after = await position();
    const more = await feed('behind');
    await vi.waitFor(async () => expect(await screenedOf(more)).toHaveLength(more.length), POLLING);
    await expectSkippedOnce(ids);
    expect(await position()).toBeGreaterThan(after);
  });
});
