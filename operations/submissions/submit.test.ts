import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { NO_PRODUCERS, producerBook } from '../../domain/producers/producers.ts';
import { payloadHash } from '../../processors/intake/payload-hash.ts';
import type { IntentClaim } from '../../processors/intake/ports.ts';
import type { TransferRequested } from '../../schemas/types.generated.ts';
import { AT, BOOK, transferRequested } from '../../test/kit/builders.ts';
import { times } from '../../test/kit/times.ts';
import { ownerOf } from './owner.ts';
import type { Submission } from './ports.ts';
import { type SubmitComponents, type SubmitRequest, submitTransfer, submitTransfers, submitter } from './submit.ts';
import { memorySubmissions } from './testing/memory.ts';

const ID = 'transfer-0001';
const TRACE = 'a'.repeat(32);
const died = new Error('the process died');

/** Stores, a log, and a process that dies at its n-th step: before that step has taken effect, or after. */
class World {
  readonly submissions = new Map<string, Submission>();
  readonly claims = new Map<string, IntentClaim>();
  readonly log: TransferRequested[] = [];
  now = AT;

  /** What one request works with. `diesAt`: 2n is before its n-th step, 2n + 1 after it. */
  parts(diesAt = Number.POSITIVE_INFINITY, onStep: () => void = () => undefined): SubmitComponents {
    let step = 0;
    const asked = async <T>(work: () => T): Promise<T> => {
      onStep();
      // Others get their turn between two steps.
      await Promise.resolve();
      const at = 2 * step++;
      if (diesAt <= at) throw died;
      const result = work();
      if (diesAt === at + 1) throw died;
      return result;
    };
    return {
      submissions: memorySubmissions(this.submissions, asked),
      intentClaims: { find: (ids) => asked(() => ids.flatMap((id) => this.claims.get(id) ?? [])) },
      intents: {
        publish: (intents) =>
          asked(() =>
            intents.map(({ intent }) => {
              this.log.push(intent);
              return undefined;
            }),
          ),
      },
      corridors: BOOK,
      producers: producerBook(NO_PRODUCERS),
      clock: () => this.now,
    };
  }

  /** What intake does with what is in the log: the first valid intent of an id has it. */
  intake(): void {
    for (const [offset, intent] of this.log.entries()) {
      const { transferId } = intent;
      if (this.claims.has(transferId)) continue;
      const claim = { transferId, hash: payloadHash(intent)!, originPosition: `T:0:${offset}` };
      this.claims.set(transferId, { ...claim, homePartition: 0, acceptedAt: this.now, producerId: null });
    }
  }
}

const intentOf = (over: Partial<TransferRequested> = {}) => transferRequested({ transferId: ID, intent: over });
/** `dated`: it names its own time. */
const request = (over: Partial<TransferRequested> = {}, producer = 'acme', dated = false): SubmitRequest => ({
  producer,
  transferId: ID,
  intentAt: (now) => intentOf({ ...over, requestedAt: dated ? AT : now }),
  traceId: TRACE,
});

let world: World;
beforeEach(() => {
  world = new World();
});

describe('submitting a transfer', () => {
  it('publishes it, and the same again is the same', async () => {
    const first = await submitTransfer(world.parts(), request());
    expect(first).toMatchObject({
      kind: 'submitted',
      isReplay: false,
      submission: { publishedAt: AT, requestedAt: AT },
    });
    world.now += 86_400_000_000;
    const again = await submitTransfer(world.parts(), request());
    expect(again).toEqual({ ...first, isReplay: true });
    expect(world.log).toHaveLength(1);
  });

  it('refuses another content under the same key, for ever', async () => {
    await submitTransfer(world.parts(), request());
    world.now += 86_400_000_000;
    expect((await submitTransfer(world.parts(), request({ endToEndId: 'other' }))).kind).toBe('other-content');
    const dated: SubmitRequest = { ...request(), intentAt: () => intentOf({ requestedAt: AT + 1 }) };
    expect((await submitTransfer(world.parts(), dated)).kind).toBe('other-content');
    expect(world.log).toHaveLength(1);
  });

  it('refuses an id of another producer, also with the same content', async () => {
    await submitTransfer(world.parts(), request());
    expect((await submitTransfer(world.parts(), request({}, 'zenith'))).kind).toBe('of-another');
    expect(await ownerOf(world.parts(), ID)).toMatchObject({ producer: 'acme' });
  });

  it('refuses what intake would refuse, and leaves the key free', async () => {
    const outcome = await submitTransfer(world.parts(), request({ purposeCode: 'NONE' }));
    expect(outcome).toMatchObject({ kind: 'invalid', reasons: [{ code: 'FF07' }] });
    expect([world.log.length, world.submissions.size]).toEqual([0, 0]);
    expect((await submitTransfer(world.parts(), request())).kind).toBe('submitted');
  });

  it('knows what came by Kafka: the very same is that transfer, anything else is of another', async () => {
    world.log.push(intentOf({ requestedAt: AT }));
    world.intake();
    world.now += 1_000;
    expect((await submitTransfer(world.parts(), request({ endToEndId: 'x' }, 'zenith'))).kind).toBe('of-another');
    expect((await submitTransfer(world.parts(), request())).kind).toBe('of-another');
    expect(await submitTransfer(world.parts(), request({}, 'acme', true))).toMatchObject({ isReplay: true });
    expect(world.log).toHaveLength(1);
  });

  it('makes nobody the owner of what intake gave to another content meanwhile', async () => {
    await submitTransfer(world.parts(), request());
    world.log.unshift(intentOf({ endToEndId: 'by-kafka' }));
    world.intake();
    expect(await ownerOf(world.parts(), ID)).toBeUndefined();
  });

  it('tells a repeat so when intake gave the id to another content meanwhile', async () => {
    const cutOff = submitTransfer(world.parts(2 * 3), request());
    await expect(cutOff).rejects.toBe(died);
    world.log.push(intentOf({ endToEndId: 'by-kafka' }));
    world.intake();
    expect(await submitTransfer(world.parts(), request())).toEqual({ kind: 'of-another' });
    expect(world.log).toHaveLength(1);
  });

  it('publishes nothing again that intake has claimed', async () => {
    // The log has it, and the process died before it noted so.
    await expect(submitTransfer(world.parts(2 * 3 + 1), request())).rejects.toBe(died);
    world.intake();
    expect(await submitTransfer(world.parts(), request())).toMatchObject({
      isReplay: true,
      submission: { publishedAt: AT },
    });
    expect(world.log).toHaveLength(1);
  });

  it('waits for a newer version where one made the hash', async () => {
    await submitTransfer(world.parts(), request());
    world.submissions.set(ID, { ...world.submissions.get(ID)!, hash: 'v9:a' });
    await expect(submitTransfer(world.parts(), request())).rejects.toMatchObject({ code: 'CLAIM_HASH_UNKNOWN' });
  });
});

/** Steps of a request: find, find claim, claim, publish, mark. */
const STEPS = 5;

describe('a process that dies', () => {
  it.each(Array.from({ length: 2 * STEPS }, (_, at) => at))(
    'at point %i leaves what the next request ends',
    async (at) => {
      await expect(submitTransfer(world.parts(at), request())).rejects.toBe(died);
      world.now += 60_000;
      const outcome = await submitTransfer(world.parts(), request());
      expect(outcome).toMatchObject({ kind: 'submitted' });
      // At worst twice, and then the very same: intake drops the second.
      expect(world.log.length).toBeGreaterThanOrEqual(1);
      expect(new Set(world.log.map((intent) => payloadHash(intent))).size).toBe(1);
      const before = world.log.length;
      expect(await submitTransfer(world.parts(), request())).toMatchObject({ kind: 'submitted', isReplay: true });
      expect(world.log).toHaveLength(before);
    },
  );

  it('and others beside it, in whatever order: one content has the id, and every answer of success is in the log', async () => {
    const one = fc.record({
      producer: fc.constantFrom('acme', 'zenith'),
      content: fc.constantFrom('one', 'two'),
      dated: fc.boolean(),
      diesAt: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.nat({ max: 2 * STEPS })),
    });
    const rounds = fc.array(fc.array(one, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(rounds, fc.boolean(), async (all, intakeIsFast) => {
        const here = new World();
        const accepted: { readonly hash: string; readonly producer: string }[] = [];
        for (const round of all) {
          here.now += 1_000;
          const requests = round.map(async ({ producer, content, dated, diesAt }) => {
            const asked = request({ endToEndId: content }, producer, dated);
            const outcome = await submitTransfer(here.parts(diesAt), asked).catch((error: unknown) => {
              expect(error).toBe(died);
            });
            if (outcome?.kind !== 'submitted') return;
            const { requestedAt, hash } = outcome.submission;
            expect(outcome.submission.producer).toBe(producer);
            expect(hash).toBe(payloadHash(asked.intentAt(requestedAt)));
            expect(here.log.map((intent) => payloadHash(intent))).toContain(hash);
            accepted.push({ hash, producer });
          });
          await Promise.all(requests);
          if (intakeIsFast) here.intake();
        }
        here.intake();
        expect(new Set(accepted.map(({ hash, producer }) => `${hash} ${producer}`)).size).toBeLessThanOrEqual(1);
        expect(new Set(here.log.map((intent) => payloadHash(intent))).size).toBeLessThanOrEqual(1);
        if (accepted.length > 0) expect(here.claims.get(ID)?.hash).toBe(accepted[0]!.hash);
      }),
      { numRuns: times(300) },
    );
  });
});

describe('transfers that come together', () => {
  const other = (n: number, over: Partial<SubmitRequest> = {}): SubmitRequest => {
    const transferId = `transfer-${String(n).padStart(4, '0')}`;
    return {
      ...{ producer: 'acme', transferId, traceId: TRACE },
      intentAt: (now) => transferRequested({ transferId, intent: { requestedAt: now } }),
      ...over,
    };
  };

  it('take one round trip of each kind, and each has its own outcome', async () => {
    await submitTransfer(world.parts(), other(1, { producer: 'zenith' }));
    world.claims.set('transfer-0005', {
      ...{ transferId: 'transfer-0005', hash: 'v9:a', originPosition: 'T:0:9', homePartition: 0, acceptedAt: AT },
      producerId: null,
    });
    const invalid = (now: number) =>
      transferRequested({ transferId: 'transfer-0003', intent: { requestedAt: now, purposeCode: 'NONE' } });
    const asked = [other(1), other(2), other(3, { intentAt: invalid }), other(4), other(5)];
    let calls = 0;
    const counted = world.parts(Number.POSITIVE_INFINITY, () => calls++);
    const outcomes = await submitTransfers(counted, asked);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['of-another', 'submitted', 'invalid', 'submitted', 'failed']);
    expect(outcomes[4]).toMatchObject({ error: { code: 'CLAIM_HASH_UNKNOWN' } });
    expect(calls).toBe(STEPS);
    expect(world.log.map(({ transferId }) => transferId)).toEqual(['transfer-0001', 'transfer-0002', 'transfer-0004']);
  });

  it('and ask for one id go one after the other', async () => {
    const submit = submitter(world.parts());
    const changed: SubmitRequest['intentAt'] = (now) =>
      transferRequested({ transferId: 'transfer-0001', intent: { requestedAt: now, endToEndId: 'changed' } });
    const outcomes = await Promise.all([
      ...[other(1), other(1), other(1, { intentAt: changed }), other(2)].map(submit),
      submit(other(1, { producer: 'zenith' })),
    ]);
    expect(outcomes.map((outcome) => [outcome.kind, 'isReplay' in outcome && outcome.isReplay])).toEqual([
      ['submitted', false],
      ['submitted', true],
      ['other-content', false],
      ['submitted', false],
      ['of-another', false],
    ]);
    expect(world.log).toHaveLength(2);
  });
});

describe('whose transfer it is', () => {
  const claimOf = (producerId: string | null, hash = 'v1:other') =>
    world.claims.set(ID, {
      transferId: ID,
      hash,
      originPosition: 'T:0:1',
      homePartition: 0,
      acceptedAt: AT,
      producerId,
    });

  it('is the word of intake where it could tell', async () => {
    claimOf('zenith');
    expect(await ownerOf(world.parts(), ID)).toEqual({ producer: 'zenith', submission: undefined });
    expect(await submitTransfer(world.parts(), request())).toEqual({ kind: 'of-another' });
  });

  it('is nobody else by saying the very same', async () => {
    claimOf('zenith', payloadHash(intentOf({ requestedAt: AT }))!);
    expect(await submitTransfer(world.parts(), request({}, 'acme', true))).toEqual({ kind: 'of-another' });
    expect(await submitTransfer(world.parts(), request({}, 'zenith', true))).toMatchObject({ isReplay: true });
    expect(world.log).toHaveLength(0);
  });

  it('is not the one who submitted it once another producer has it in the log', async () => {
    await submitTransfer(world.parts(), request());
    claimOf('zenith', world.submissions.get(ID)!.hash);
    expect(await ownerOf(world.parts(), ID)).toEqual({ producer: 'zenith', submission: undefined });
    expect(await submitTransfer(world.parts(), request())).toEqual({ kind: 'of-another' });
  });
});
