// When a source is asked again, and what an answer has to be before nothing more of it is asked for.
import { describe, expect, it } from 'vitest';
import { CodedError } from '../../ports/fault.ts';
import type { FxRate } from '../../schemas/types.generated.ts';
import { type RateSource, rateSourcesOf } from './sources.ts';
import {
  type Look,
  lookOnce,
  NEW_SOURCE,
  nextLookMs,
  OPEN_AFTER,
  type SourceAnswer,
  type Validators,
  type WatchPorts,
  watchOnce,
  watchSources,
} from './watch.ts';

const NOW = Date.parse('2026-12-01T09:30:00Z');
const sourceNamed = (source: string): RateSource =>
  rateSourcesOf(
    Buffer.from(
      JSON.stringify({
        sources: [
          {
            ...{ kind: 'json', source, url: 'https://rates.example/', everyMs: 5_000, pairs: ['GBP/INR'] },
            mapping: { pair: { base: { is: 'GBP' }, quote: { key: true } }, rate: '/r', observedAt: { at: '/t' } },
          },
        ],
      }),
    ),
  )[0]!;
const BANK = sourceNamed('bank');
const answered = (rate: string, validators: Validators = {}): SourceAnswer => ({
  kind: 'answered',
  bytes: Buffer.from(`{"INR":{"r":${rate},"t":"2026-12-01T09:29:59Z"}}`),
  validators,
});
const down = () => {
  throw new CodedError('RATE_SOURCE_DOWN', 'bank: it answers 500');
};

function world(ask: WatchPorts['ask']) {
  const published: FxRate[] = [];
  const looks: Look[] = [];
  const ports: WatchPorts = {
    ask,
    publish: async (_source, rates) => {
      published.push(...rates);
      return rates;
    },
    ...{ now: () => NOW, random: () => 0.5, sleep: async () => undefined },
    report: (look) => void looks.push(look),
  };
  return { published, looks, ports };
}

describe('a source', () => {
  it('that answers is written, and told what is known of its answer only once it is in the log', async () => {
    const asked: Validators[] = [];
    const etag = '"1"';
    const { ports, published } = world(async (_, known) => {
      asked.push(known);
      return known.etag === etag ? { kind: 'unchanged' } : answered('125.2579', { etag });
    });
    const failing = { ...ports, publish: async () => Promise.reject(new CodedError('KAFKA_UNAVAILABLE', 'away')) };
    const lost = await lookOnce(BANK, NEW_SOURCE, failing);
    expect(lost).toMatchObject({ look: { kind: 'failed', code: 'KAFKA_UNAVAILABLE' }, state: { known: {} } });
    const read = await lookOnce(BANK, lost.state, ports);
    expect(read.look).toMatchObject({ kind: 'read', written: 1, of: 1 });
    const again = await lookOnce(BANK, read.state, ports);
    expect(again.look).toMatchObject({ kind: 'unchanged' });
    expect(asked).toEqual([{}, {}, { etag }]);
    expect(published.map(({ rate }) => rate)).toEqual(['125.2579']);
  });

  it('that answers "unchanged" to a question that named no answer has failed: not one rate was ever had', async () => {
    const { ports, published, looks } = world(async () => ({ kind: 'unchanged' }));
    expect(await watchOnce([BANK], ports)).toBe(false);
    expect(looks).toMatchObject([{ kind: 'failed', code: 'RATE_SOURCE_WRONG', failures: 1 }]);
    // Nor one that gave an answer which nothing can be compared with.
    const { ports: later } = world(async (_, known) => (known.etag ? { kind: 'unchanged' } : answered('125.0')));
    const read = await lookOnce(BANK, NEW_SOURCE, later);
    expect(read.look.kind).toBe('read');
    const then = await lookOnce(BANK, read.state, { ...later, ask: async () => ({ kind: 'unchanged' }) });
    expect(then).toMatchObject({ look: { kind: 'failed', code: 'RATE_SOURCE_WRONG' }, state: { failures: 1 } });
    expect(published).toEqual([]);
  });

  it('that answers nonsense writes nothing, and is no fault of the others', async () => {
    const { ports, published, looks } = world(async ({ source }) =>
      source === 'bank' ? answered('"x"') : answered('125.0'),
    );
    expect(await watchOnce([BANK, sourceNamed('desk')], ports)).toBe(false);
    expect(looks).toMatchObject([
      { source: 'bank', kind: 'failed', code: 'RATE_FILE_WRONG', failures: 1, isOpen: false },
      { source: 'desk', kind: 'read', written: 1 },
    ]);
    expect(published.map(({ source }) => source)).toEqual(['desk']);
  });

  it('that fails is asked sooner at first, then left alone for longer, and is back at its pace once it answers', async () => {
    let isDown = true;
    const { ports, looks } = world(async () => (isDown ? down() : answered('125.0')));
    const stopping = new AbortController();
    const until = 8;
    const sleep = async () => {
      if (looks.length === until - 1) isDown = false;
      if (looks.length === until) stopping.abort();
    };
    await watchSources([BANK], { ...ports, sleep }, stopping.signal);
    expect(looks.map(({ nextMs }) => nextMs)).toEqual([750, 1_500, 3_000, 5_000, 45_000, 90_000, 180_000, 4_750]);
    expect(looks.map((look) => look.kind === 'failed' && look.isOpen)).toEqual([
      ...[false, false, false, false, true, true, true, false],
    ]);
  });

  it('is never asked all the time, nor forgotten', () => {
    for (let failures = 0; failures < 2_000; failures++) {
      for (const random of [0, 1]) {
        const next = nextLookMs(failures, 60_000, () => random);
        expect(next).toBeGreaterThanOrEqual(500);
        expect(next).toBeLessThanOrEqual(failures < OPEN_AFTER ? 60_000 : 600_000);
      }
    }
  });
});
