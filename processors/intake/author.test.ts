// Who an intent is from: what a seal proves, what the configuration says of those without one, and what comes of it in intake.
import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type IntentKeys, NO_INTENT_KEYS, sealIntent } from '../../domain/producers/intent-seal.ts';
import { NO_PRODUCERS, type ProducerTerms, producerBook } from '../../domain/producers/producers.ts';
import { keyRing } from '../../domain/seals/seal.ts';
import type { TransferRequested } from '../../schemas/types.generated.ts';
import { AT, BOOK, only, received, run, summary, TOKEN_KEY, transferRequested } from '../../test/kit/builders.ts';
import { memoryIntentClaims } from '../../test/kit/memory-claims.ts';
import { authorOf } from './author.ts';
import { createIntake } from './processor.ts';

const SECRET = 'a secret of acme that is long enough for a key';
const RINGS = { acme: keyRing(`k1:${SECRET}`), zenith: keyRing('k1:a secret of zenith that is long enough for a key') };
const API = keyRing('api1:a secret of the API that is long enough for a key');
const KEYS: IntentKeys = { api: API, ofProducer: new Map(Object.entries(RINGS)) };
const LISTED: ProducerTerms = {
  producers: [
    { id: 'acme', idPrefixes: ['acme-'], corridors: undefined },
    { id: 'zenith', idPrefixes: ['zen-'], corridors: ['EU-IN'] },
    { id: 'legacy', idPrefixes: [], corridors: undefined },
  ],
  sharedTopicProducer: undefined,
  takesUnproven: false,
};
const VALUE = Buffer.from('the bytes of the intent');

const intent = (transferId: string, over: Partial<TransferRequested> = {}) =>
  transferRequested({ transferId, intent: over });
const sealedBy = (ring: (typeof RINGS)['acme'], producer: string, value = VALUE) => ({
  intentSeal: { producer, seal: sealIntent(ring, producer, value), value: VALUE },
});
const author = (transferId: string, seal: object, terms = LISTED, keys = KEYS) => {
  const found = authorOf({ value: intent(transferId), ...seal }, { book: producerBook(terms), keys }, BOOK);
  return [found.producerId, found.reasons.map(({ code }) => code)];
};

describe('who an intent is from', () => {
  it('is proven by the seal of that producer, or of the API for any', () => {
    expect(author('acme-0000001', sealedBy(RINGS.acme, 'acme'))).toEqual(['acme', []]);
    expect(author('acme-0000001', sealedBy(API, 'acme'))).toEqual(['acme', []]);
    expect(author('other-000001', sealedBy(API, 'unlisted'))).toEqual(['unlisted', []]);
  });

  it('is as docs/producers.md tells others to seal', () => {
    const head = `corridor-seal-1\nintent\n4,${VALUE.length}\n`;
    const mac = createHmac('sha256', SECRET).update(head).update('acme').update(VALUE).digest('base64url');
    expect(author('acme-0000001', { intentSeal: { producer: 'acme', seal: `k1.${mac}`, value: VALUE } })).toEqual([
      'acme',
      [],
    ]);
  });

  it.each([
    ['of another producer', sealedBy(RINGS.zenith, 'acme')],
    ['over other bytes', sealedBy(RINGS.acme, 'acme', Buffer.from('other bytes'))],
    ['under another name', { intentSeal: { ...sealedBy(RINGS.acme, 'acme').intentSeal, producer: 'zenith' } }],
    ['that is none', { intentSeal: { producer: 'acme', seal: '', value: VALUE } }],
    ['of a producer that nobody knows', sealedBy(RINGS.acme, 'unknown')],
  ])('is not proven by a seal %s', (_what, seal) => {
    expect(author('acme-0000001', seal)).toEqual([null, ['PRSL']]);
    expect(author('acme-0000001', seal, { ...LISTED, sharedTopicProducer: 'legacy' })).toEqual([null, ['PRSL']]);
    expect(author('acme-0000001', seal, NO_PRODUCERS)).toEqual([null, ['PRSL']]);
  });

  it('is the producer of the shared topic where nothing is sealed, and nobody where there is none', () => {
    expect(author('other-000001', {}, { ...LISTED, sharedTopicProducer: 'legacy' })).toEqual(['legacy', []]);
    expect(author('acme-0000001', {}, { ...LISTED, sharedTopicProducer: 'legacy' })).toEqual(['legacy', ['PRID']]);
    expect(author('other-000001', {})).toEqual([null, ['PRSL']]);
    expect(author('other-000001', {}, NO_PRODUCERS)).toEqual([null, []]);
  });

  it('is not looked for without any key: all is as before there were producers', () => {
    const seal = sealedBy(RINGS.acme, 'acme');
    expect(author('acme-0000001', seal, NO_PRODUCERS, NO_INTENT_KEYS)).toEqual([null, []]);
  });

  it('may not use the corridor of others', () => {
    expect(author('zen-00000001', sealedBy(RINGS.zenith, 'zenith'))).toEqual(['zenith', ['AG03']]);
  });
});

describe('intake', () => {
  const intake = (claims = memoryIntentClaims(), terms = LISTED, keys = KEYS) =>
    createIntake({
      ...{ claims, corridors: BOOK, homePartitionOf: () => 3, tokenKey: TOKEN_KEY, clock: () => AT },
      producers: { book: producerBook(terms), keys },
    });
  const from = (
    who: keyof typeof RINGS | null,
    transferId: string,
    offset: number,
    over: Partial<TransferRequested> = {},
  ) =>
    received('transfer.requested', intent(transferId, over), {
      originPosition: `T1:0:${offset}`,
      ...(who === null ? {} : sealedBy(RINGS[who], who)),
    });

  it('lets nobody take an id before its owner, who gets it afterwards', async () => {
    const claims = memoryIntentClaims();
    const early = await run(intake(claims), [from('zenith', 'acme-0000001', 0), from(null, 'acme-0000001', 1)]);
    const own = await run(intake(claims), [from('acme', 'acme-0000001', 2), from('acme', 'acme-0000001', 3)]);
    const decisions = [...early, ...own];
    expect(decisions.map(summary)).toEqual([
      'intent.rejected',
      'intent.rejected',
      'transfer.accepted',
      'intent.duplicated',
    ]);
    expect(only(decisions[0], 'intent.rejected')).toMatchObject({
      producerId: 'zenith',
      reasons: [{ code: 'PRID' }, { code: 'AG03' }],
    });
    expect(only(decisions[1], 'intent.rejected')).toMatchObject({ producerId: null, reasons: [{ code: 'PRSL' }] });
    expect(only(decisions[2], 'transfer.accepted').instruction.producerId).toBe('acme');
    expect(only(decisions[3], 'intent.duplicated').producerId).toBe('acme');
  });

  it('takes the same content from another producer for another intent, and tells it nothing of the first', async () => {
    // An installation that lists nobody: ids are whose who uses them first.
    const decisions = await run(intake(memoryIntentClaims(), NO_PRODUCERS), [
      from('acme', 'shared-00001', 0),
      from('zenith', 'shared-00001', 1),
      from(null, 'shared-00001', 2),
      from('zenith', 'shared-00001', 3, { endToEndId: 'other' }),
      from('acme', 'shared-00001', 4, { endToEndId: 'other' }),
    ]);
    expect(decisions.map(summary)).toEqual([
      'transfer.accepted',
      ...Array.from({ length: 4 }, () => 'intent.rejected'),
    ]);
    for (const decision of decisions.slice(1, 4))
      expect(only(decision, 'intent.rejected')).toMatchObject({
        reasons: [{ code: 'PRID' }],
        firstOriginPosition: null,
      });
    expect(only(decisions[4], 'intent.rejected')).toMatchObject({
      reasons: [{ code: 'DUPL' }],
      firstOriginPosition: 'T1:0:0',
    });
  });

  it('takes a repeat of what was claimed before anybody was known for a duplicate', async () => {
    const claims = memoryIntentClaims();
    await run(intake(claims, NO_PRODUCERS), [from(null, 'shared-00001', 0)]);
    const again = await run(intake(claims, NO_PRODUCERS), [from('acme', 'shared-00001', 1)]);
    expect(again.map(summary)).toEqual(['intent.duplicated']);
  });

  it('decides what it has claimed as before, whatever became of the configuration meanwhile', async () => {
    const claims = memoryIntentClaims();
    const batch = [from('acme', 'acme-0000001', 0)];
    claims.outages.crashAfter = 1;
    await expect(run(intake(claims), batch)).rejects.toMatchObject({ code: 'MONGO_UNAVAILABLE' });
    const [first] = await run(intake(), batch);
    const keysAreGone = { api: API, ofProducer: new Map() };
    expect(await run(intake(claims, LISTED, keysAreGone), batch)).toEqual([first]);
    const otherOwner = { ...LISTED, producers: [{ id: 'zenith', idPrefixes: ['acme-'], corridors: undefined }] };
    expect(await run(intake(claims, otherOwner), batch)).toEqual([first]);
  });
});
