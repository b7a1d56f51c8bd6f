// What is planted in claims of attempts, in what the provider received and in what expired payouts carry is found, also
// over a checkpoint.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { PROBE_ID, STOPPED } from '../payouts/attempt-ledger.ts';
import { sealed } from '../ports/seals.ts';
import { AT } from '../test/kit/builders.ts';
import { testRings } from '../test/kit/rings.ts';
import type { Entry } from './testing/entry.ts';
import { History } from './testing/history.ts';
import {
  AT_ONCE,
  type Corruption,
  change,
  drop,
  edit,
  expectFound,
  forget,
  onlyDocument,
  repeat,
  verified,
} from './testing/plant.ts';
import { verify } from './verify.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'corridor-verify-attempts-'));
afterAll(() => rmSync(folder, { recursive: true }));

const CLAIMS = 'payout.attempts';
const ID = 'transfer-000000';
const received = (history: History, number: number) =>
  history.provider.push({
    seq: history.provider.length + 1,
    kind: 'submit',
    key: `${ID}:${number}`,
    transferId: ID,
    amount: null,
  });

const CORRUPTIONS: readonly Corruption[] = [
  ['an attempt that the provider received without a claim', 'requoted', drop(CLAIMS), ['ATTEMPT_UNCLAIMED']],
  [
    'a further attempt that the provider received, and nobody knows of',
    'requoted',
    (history) => void received(history, 3),
    ['ATTEMPT_UNCLAIMED', 'ATTEMPT_NOT_STORED'],
  ],
  [
    'an attempt that is claimed again by a payout that was put back',
    'requoted',
    (history) => void history.claim(ID, 2, AT + 5),
    ['CLAIM_OUT_OF_ORDER'],
  ],
  [
    'an attempt that is claimed by a payout that has counted on without the one before',
    'requoted',
    (history) => void history.claim(ID, 3, AT + 5, [{ number: 1, startedAt: AT }]),
    ['CLAIM_OUT_OF_ORDER'],
  ],
  ['a claim that was copied', 'requoted', repeat(CLAIMS), ['CLAIM_REPEATED']],
  [
    'a payout that has lost a claimed attempt',
    'requoted',
    ({ stores }) => edit(stores.payouts, { attempts: onlyDocument(stores.payouts)[1].attempts.slice(0, 1) }),
    ['CLAIM_NOT_STORED', 'ATTEMPT_NOT_STORED'],
  ],
  [
    'a payout that has begun a claimed attempt again',
    'requoted',
    ({ stores }) => {
      const [, { attempts }] = onlyDocument(stores.payouts);
      edit(stores.payouts, { attempts: attempts.with(1, { ...attempts[1]!, startedAt: AT + 1 }) });
    },
    ['CLAIM_NOT_STORED'],
  ],
  [
    'a payout that has lost the case which stopped it',
    'completed',
    (history) => void history.claim(ID, STOPPED, AT, []),
    ['CLAIM_NOT_STORED'],
  ],
  [
    'a first attempt that was begun later than its payout was stored, and that nobody claimed',
    'completed',
    ({ stores }) => {
      const [, { attempts }] = onlyDocument(stores.payouts);
      edit(stores.payouts, { attempts: [{ ...attempts[0]!, startedAt: AT + 120_000 }] });
    },
    ['ATTEMPT_UNCLAIMED'],
  ],
  [
    'a further attempt in the database alone',
    'completed',
    ({ stores }) => {
      const [, { attempts, payoutId }] = onlyDocument(stores.payouts);
      const second = { ...attempts[0]!, number: 2, key: `${payoutId}:2` };
      const first = { ...attempts[0]!, end: { how: 'cancelled', at: AT, code: null } as const };
      edit(stores.payouts, { attempts: [first, second], lastAttempt: 2 });
    },
    ['ATTEMPT_UNCLAIMED'],
  ],
  [
    'two attempts that are open at once',
    'requoted',
    ({ stores }) => {
      const [, { attempts }] = onlyDocument(stores.payouts);
      edit(stores.payouts, { phase: 'OUTCOME_UNKNOWN', attempts: attempts.map((one) => ({ ...one, end: null })) });
    },
    ['PAYOUT_FLAWED'],
  ],
  ['a payout that is gone, with claims', 'requoted', ({ stores }) => forget(stores.payouts), ['CLAIM_NOT_STORED']],
  [
    'a claim of a transfer that nobody asked for',
    'completed',
    (history) => void history.claim('transfer-of-nobody', 1),
    ['CLAIM_OF_STRANGER'],
  ],
  [
    'an expired payout that carries no request',
    'requoted',
    change('payout.updated', (value) => {
      value.asked = null;
    }),
    ['EXPIRED_NOT_ASKED'],
  ],
  [
    'an expired payout whose request somebody else has sealed',
    'requoted',
    change('payout.updated', (value) => {
      const { cause, seal, value: bytes } = value.asked;
      value.asked = { cause, seal: `${seal.split('.')[0]}.${'A'.repeat(43)}`, value: Buffer.from(bytes) };
    }),
    ['EXPIRED_NOT_ASKED'],
  ],
  [
    'an expired payout that carries bytes which are no request',
    'requoted',
    change('payout.updated', (value) => {
      value.asked.value = Buffer.from('no Avro');
    }),
    ['EXPIRED_NOT_ASKED'],
  ],
];

describe('what is planted is found', () => {
  it.each(CORRUPTIONS.map((one) => [one[0], one] as const))('%s', (_, corruption) => expectFound(corruption));

  it('a request of another transfer, truly sealed for that one', async () => {
    const history = new History();
    for (const ending of ['requoted', 'requoted'] as const) history.tell(ending);
    history.fillStores();
    const [one, other] = history.entries.filter(
      ({ topic, value }) => topic === 'payout.updated' && value.payout.status === 'EXPIRED',
    );
    one!.value = { ...one!.value, asked: other!.value.asked };
    const { codes } = await verify(history.sources(), AT_ONCE);
    expect(codes['EXPIRED_NOT_ASKED']).toBe(1);
  });

  it('a claim whose seal is not the executor’s', async () => {
    const history = new History();
    history.claim(ID, 1);
    const sources = history.sources();
    const [{ offset, key, value }] = history.entries as [Entry];
    const bytes = history.codec.encode(CLAIMS, value);
    const rings = { ...testRings, executor: testRings.operators };
    const { headers } = sealed(rings, { topic: CLAIMS, partition: 0, key, value: bytes, headers: {} });
    const buffers = Object.entries(headers).map(([name, text]) => [name, Buffer.from(text as string)] as const);
    const place = { topic: CLAIMS, partition: 0, offset };
    sources.fixed.drop(CLAIMS, 0, offset);
    sources.fixed.put({
      ...place,
      key: Buffer.from(key),
      value: bytes,
      headers: Object.fromEntries(buffers),
      timestamp: AT,
    });
    const report = await verify({ ...sources, rings: testRings }, AT_ONCE);
    // What no executor has sealed is no claim of anybody.
    expect(report.findings).toMatchObject([
      { code: 'SEAL_KEY_UNKNOWN', position: `${CLAIMS}/0/${offset}`, transferId: ID },
    ]);
  });
});

describe('what is as it should be is no finding', () => {
  it('probes, claims that come late, a first attempt that is claimed, a payout that is stopped by its case', async () => {
    const report = await verified(['requoted', 'completed'], (history) => {
      history.claim(PROBE_ID, 1);
      // The claim of the first attempt, which somebody else's second has overtaken.
      history.claim(ID, 1);
      history.claim('transfer-000001', 1);
      history.claim('transfer-000001', STOPPED, AT, []);
      // Another process of the executor found it stopped too.
      history.claim('transfer-000001', STOPPED, AT + 5, []);
      const [, payout] = [...history.stores.payouts.byId.entries()][1]!;
      const detail = 'the provider says PAID of a key that was dead';
      const opened = { code: 'CONTRADICTION', detail, attemptKey: '', openedAt: AT, closedAt: null } as const;
      history.stores.payouts.put({ ...payout, cases: [opened] });
    });
    expect(report.findings).toEqual([]);
  });

  it('attempts of before the log of claims begins', async () => {
    const history = new History();
    history.tell('requoted');
    history.fillStores();
    const sources = history.sources();
    const probe = { payoutId: PROBE_ID, attempt: 1, claimId: 'x', startedAt: AT, token: null, earlier: [] };
    const value = history.codec.encode(CLAIMS, probe);
    const place = { topic: CLAIMS, partition: 0, offset: 40, timestamp: AT + 1 };
    sources.fixed.put({ ...place, key: Buffer.from(PROBE_ID), value, headers: {} });
    sources.fixed.trim(CLAIMS, 0, 40);
    const { codes } = await verify(sources, AT_ONCE);
    expect(codes).not.toHaveProperty('ATTEMPT_UNCLAIMED');
  });

  it('once the executor has stopped what was put back, the finding is a warning: a person has the case', async () => {
    const report = await verified(['requoted'], (history) => {
      history.claim(ID, 2, AT + 5);
      const [, payout] = onlyDocument(history.stores.payouts);
      const opened = { code: 'ROLLED_BACK', detail: '', attemptKey: '', openedAt: AT, closedAt: null } as const;
      edit(history.stores.payouts, { cases: [opened], attempts: payout.attempts });
    });
    const { severity } = report.findings.find(({ code }) => code === 'CLAIM_OUT_OF_ORDER')!;
    expect(severity).toBe('warning');
  });
});

describe('over a checkpoint', () => {
  /** A first run over a transfer that is paid, and the history that goes on from there. */
  async function goesOn(later: (history: History) => void) {
    const checkpoint = path.join(folder, `${Math.random()}.ndjson`);
    const then = new History();
    then.tell('requoted');
    const one = await verify(then.fillStores().sources(), { ...AT_ONCE, checkpoint });
    expect(one.findings).toEqual([]);
    const now = new History();
    now.tell('requoted');
    now.fillStores();
    later(now);
    const sources = now.sources();
    for (const topic of new Set(now.entries.map((entry) => entry.topic)))
      for (const partition of [0, 1]) sources.fixed.trim(topic, partition, then.log().end(topic, partition));
    return verify(sources, { ...AT_ONCE, from: checkpoint });
  }

  it('goes on with what was claimed', async () => {
    expect((await goesOn(() => undefined)).findings).toEqual([]);
  });

  it('knows which claim is the last, and which keys were received', async () => {
    const again = await goesOn((history) => void history.claim(ID, 2, AT + 9));
    expect(Object.keys(again.codes)).toEqual(['CLAIM_OUT_OF_ORDER']);
    const twice = await goesOn((history) => void received(history, 2));
    expect(Object.keys(twice.codes)).toEqual(['KEY_SENT_TWICE']);
    const unclaimed = await goesOn((history) => void received(history, 3));
    expect(Object.keys(unclaimed.codes)).toEqual(['ATTEMPT_NOT_STORED', 'ATTEMPT_UNCLAIMED']);
  });
});
