// Whatever endpoints answer, in whatever order, and whichever senders end in between: nothing is lost, nothing is called
// delivered that nobody took, and so many are on their way at once.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { AT } from '../../test/kit/builders.ts';
import type { PostAnswer, WebhookRequest } from './ports.ts';
import { MAX_TRIES } from './schedule.ts';
import { type SenderComponents, WebhookSender } from './sender.ts';
import { memoryWebhooks, webhookRing } from './testing/memory-webhooks.ts';
import { deliveryFor, endpointFor } from './testing/world.ts';

const ENDPOINTS = ['a', 'b', 'c'];
const TERMS = { connections: 7, perEndpoint: 2, claimMs: 15_000 };
const TIMEOUT_MS = 10_000;
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A POST that nobody has answered yet, by the sender that made it. */
interface Pending {
  readonly sender: number;
  readonly endpoint: string;
  readonly delivery: string;
  readonly sentAt: number;
  readonly answer: (answer: PostAnswer) => void;
}

const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('tick' as const), sender: fc.nat({ max: 1 }) }),
    fc.record({
      kind: fc.constant('pass' as const),
      ms: fc.oneof(
        { weight: 3, arbitrary: fc.integer({ min: 1, max: 6_000 }) },
        fc.integer({ min: 1, max: 4 * 3_600_000 }),
      ),
    }),
    fc.record({
      kind: fc.constant('answer' as const),
      which: fc.nat({ max: 20 }),
      status: fc.constantFrom(200, 200, 200, 200, 204, 204, 301, 404, 429, 500, 503),
    }),
    // It ends as by kill -9: what it had sent may still be answered, and it may be frozen rather than dead.
    fc.record({ kind: fc.constant('end' as const), sender: fc.nat({ max: 1 }), isDead: fc.boolean() }),
    fc.record({ kind: fc.constant('resend' as const), endpoint: fc.constantFrom(...ENDPOINTS) }),
  ),
  { maxLength: 120 },
);

it('nothing is lost, nothing is made up, and no bound is passed', async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 1, max: 12 }), async (all, events) => {
      const { endpoints, deliveries, held, kept } = memoryWebhooks();
      for (const id of ENDPOINTS) held.set(id, endpointFor(id));
      for (let i = 0; i < events; i++)
        for (const id of ENDPOINTS) {
          const each = deliveryFor(id, `e-${i}`);
          kept.set(each._id, each);
        }
      const ids = [...kept.keys()];
      const taken = new Set<string>();
      let pending: Pending[] = [];
      let now = AT;
      let made = 0;
      const start = () => {
        const sender = ++made;
        const parts: SenderComponents = {
          ...{ deliveries, endpoints, ring: webhookRing, terms: TERMS, clock: () => now, random: () => 0.5 },
          post: ({ url, headers }: WebhookRequest) =>
            new Promise((answer) => {
              const endpoint = new URL(url).hostname.split('.')[0]!;
              pending.push({ sender, endpoint, delivery: headers['webhook-id']!, sentAt: now, answer });
            }),
          failpoint: () => undefined,
          onSettled: () => undefined,
          onFault: (error) => expect.unreachable(String(error)),
          onForged: (code) => expect.unreachable(code),
        };
        return { id: sender, sender: new WebhookSender(parts) };
      };
      const senders = [start(), start()];
      const answer = async (some: readonly Pending[], given: PostAnswer) => {
        pending = pending.filter((each) => !some.includes(each));
        for (const each of some) {
          if (given.kind === 'answered' && given.status < 300) taken.add(each.delivery);
          each.answer(given);
        }
        await settled();
      };
      const within = () => {
        for (const own of Map.groupBy(pending, ({ sender }) => sender).values()) {
          expect(own.length).toBeLessThanOrEqual(TERMS.connections);
          for (const of of Map.groupBy(own, ({ endpoint }) => endpoint).values())
            expect(of.length).toBeLessThanOrEqual(TERMS.perEndpoint);
        }
        for (const { _id, state } of kept.values()) if (state === 'DELIVERED') expect(taken).toContain(_id);
      };
      for (const step of all) {
        if (step.kind === 'tick') await senders[step.sender]!.sender.tick();
        if (step.kind === 'resend') {
          const range = { from: new Date(0), to: new Date(AT + 1), states: ['FAILED'] } as const;
          await deliveries.resend(step.endpoint, range, new Date(now));
        }
        if (step.kind === 'end') {
          const { id } = senders[step.sender]!;
          if (step.isDead) pending = pending.filter(({ sender }) => sender !== id);
          senders[step.sender] = start();
        }
        if (step.kind === 'pass') {
          now += step.ms;
          const late = pending.filter(({ sentAt }) => sentAt + TIMEOUT_MS <= now);
          await answer(late, { kind: 'unanswered', code: 'TIMEOUT', detail: '' });
        }
        if (step.kind === 'answer' && pending.length > 0) {
          const one = pending[step.which % pending.length]!;
          await answer([one], { kind: 'answered', status: step.status, retryAfterMs: undefined });
        }
        within();
      }
      // From now on all is well: whatever waits gets there, and what was given up had its tries.
      for (let hour = 0; hour < 60 && [...kept.values()].some(({ state }) => state === 'WAITING'); hour++) {
        now += 3_600_000;
        await answer(pending, { kind: 'unanswered', code: 'TIMEOUT', detail: '' });
        for (let turn = 0; turn < 2 * events * ENDPOINTS.length; turn++) {
          await senders[0]!.sender.tick();
          if (pending.length === 0) break;
          await answer(pending, { kind: 'answered', status: 200, retryAfterMs: undefined });
        }
      }
      within();
      expect([...kept.keys()]).toEqual(ids);
      for (const { state, tries, lastCode } of kept.values()) {
        expect(state).not.toBe('WAITING');
        if (state === 'FAILED') expect(tries === MAX_TRIES || lastCode === 'WEBHOOK_GIVEN_UP' || tries > 0).toBe(true);
      }
    }),
    { numRuns: 150 },
  );
});
