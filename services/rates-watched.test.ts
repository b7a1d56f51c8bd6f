// Sources over HTTP into the log, and what pricing makes of it: one that dies, hangs, jumps, repeats an old day, lies by ten.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { rateSourceClient } from '../adapters/http/rate-source.ts';
import { CORRIDORS } from '../domain/corridors/corridor-table.ts';
import { corridorBook } from '../domain/corridors/corridors.ts';
import { rateSourcesOf } from '../operations/rates/sources.ts';
import { sourcesOf, waitsFor } from '../operations/rates/standing.ts';
import { type Look, lookOnce, NEW_SOURCE, type SourceState } from '../operations/rates/watch.ts';
import { createFxPricing } from '../processors/fx-pricing/processor.ts';
import { createTable } from '../runtime/hosts/table.ts';
import { BUILT_IN_PRICES, received, run, summary, transferScreened } from '../test/kit/builders.ts';
import { memoryCodec } from '../test/kit/memory-codec.ts';
import { MemoryLog } from '../test/kit/memory-log.ts';
import { memoryRates } from '../test/kit/memory-rates.ts';
import { testRings } from '../test/kit/rings.ts';
import { fxRates } from '../topics/boundary.ts';
import { ratePublisher } from './rates.ts';

const MINUTE = 60_000;
/** A Tuesday. */
let now = Date.parse('2026-12-01T09:30:00Z');
/** What each source answers next; undefined: it hangs up. */
const answers = new Map<string, string | undefined>();
let server: Server;
let base = '';

beforeAll(async () => {
  server = createServer((request, response) => {
    const answer = answers.get(request.url!.slice(1));
    if (answer === undefined) request.socket.destroy();
    else response.end(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const says = (source: string, rate: string | undefined, ageMs = 1_000) =>
  answers.set(
    source,
    rate === undefined
      ? undefined
      : JSON.stringify({ quotes: [{ mid: Number(rate), at: new Date(now - ageMs).toISOString() }] }),
  );

async function world(quorum: number) {
  const [log, codec] = [new MemoryLog({ partitions: 1 }), memoryCodec()];
  const names = ['bank', 'desk'];
  const sources = rateSourcesOf(
    Buffer.from(
      JSON.stringify({
        sources: names.map((source) => ({
          ...{ kind: 'json', source, url: `${base}/${source}`, everyMs: 1_000, networks: ['127.0.0.0/8'] },
          pairs: ['GBP/INR'],
          mapping: {
            items: '/quotes',
            pair: { base: { is: 'GBP' }, quote: { is: 'INR' } },
            ...{ rate: '/mid', observedAt: { at: '/at' } },
          },
        })),
      }),
    ),
  );
  const client = rateSourceClient(sources, { takesHttp: true, env: {} });
  const publisher = await ratePublisher({ log, codec, config: { keys: testRings as never } }, names);
  const looks: Look[] = [];
  const states = new Map<string, SourceState>();
  const ports = {
    ...{ ask: client.ask, publish: publisher.publish, now: () => now, random: () => 0.5 },
    ...{ sleep: async () => undefined, report: (look: Look) => void looks.push(look) },
  };
  /** Asks all, then prices one transfer. */
  const accepted = memoryRates();
  const corridors = corridorBook(
    CORRIDORS.map((each) => ({ ...each, rates: { ...each.rates, sources: names, quorum }, maxRateAgeMs: 10 * MINUTE })),
  );
  const turn = async () => {
    for (const source of sources) {
      const { look, state } = await lookOnce(source, states.get(source.source) ?? NEW_SOURCE, ports);
      states.set(source.source, state);
      looks.push(look);
    }
    const rates = createTable({ topic: fxRates.name, log, codec, rings: testRings });
    await rates.start();
    const pricing = createFxPricing({ rates, accepted, corridors, terms: BUILT_IN_PRICES, clock: () => now });
    const [decision] = await run(pricing, [received('transfer.screened', transferScreened())]);
    const found = pricing.routes().find(({ corridor }) => corridor.id === 'GB-IN')!;
    const known = [...rates.entries()].map(([, rate]) => rate);
    const standing = sourcesOf('GBP/INR', found.corridor, known, now).map(
      ({ source, rate, state }) => `${source} ${rate} ${state}`,
    );
    await rates.stop();
    now += MINUTE;
    return { outcome: summary(decision!), standing, waits: waitsFor(found.route, found.corridor) };
  };
  const close = async () => {
    await client.close();
    await publisher.close();
  };
  return { turn, looks, close };
}

it('with a quorum of two: what one does alone stops its pair, and nothing is priced wrongly', async () => {
  const { turn, looks, close } = await world(2);
  says('bank', '125.1');
  says('desk', '125.2');
  expect(await turn()).toEqual({
    outcome: 'transfer.priced',
    standing: ['bank 125.1 COUNTS', 'desk 125.2 COUNTS'],
    waits: undefined,
  });

  // One lies by ten: both contradict each other.
  says('desk', '1252');
  expect(await turn()).toMatchObject({
    outcome: 'wait RATE_DISPUTED',
    waits: 'agreement on GBP/INR: somebody stops the feed that is wrong',
  });

  // Both follow the same wrong source: a jump.
  says('bank', '1251');
  says('desk', '1252');
  expect(await turn()).toMatchObject({ outcome: 'wait RATE_JUMPED', waits: expect.stringContaining('two persons') });

  // One dies: what it said last counts until it is too old, then there are too few.
  says('bank', '125.3');
  says('desk', '125.2');
  expect((await turn()).outcome).toBe('transfer.priced');
  says('desk', undefined);
  for (let minute = 0; minute < 9; minute++) {
    says('bank', '125.3');
    expect((await turn()).outcome, `minute ${minute}`).toBe('transfer.priced');
  }
  now += 2 * MINUTE;
  says('bank', '125.3');
  expect(await turn()).toEqual({
    outcome: 'wait RATE_UNCONFIRMED',
    standing: ['bank 125.3 COUNTS', 'desk 125.2 TOO_OLD'],
    waits: '1 more sources of GBP/INR that are young enough',
  });
  expect(looks.at(-1)).toMatchObject({ source: 'desk', kind: 'failed', code: 'RATE_SOURCE_DOWN', isOpen: true });

  // It is back, with nonsense and then with a rate.
  answers.set('desk', '<html>maintenance</html>');
  expect((await turn()).outcome).toBe('wait RATE_UNCONFIRMED');
  expect(looks.at(-1)).toMatchObject({ kind: 'failed', code: 'RATE_FILE_WRONG' });
  says('bank', '125.4');
  says('desk', '125.4');
  expect((await turn()).outcome).toBe('transfer.priced');
  expect(looks.at(-1)).toMatchObject({ source: 'desk', kind: 'read', written: 1 });
  await close();
});

it('that repeats an old day is written nothing of, and its rate grows old', async () => {
  const { turn, looks, close } = await world(1);
  const bankOf = () => looks.findLast(({ source }) => source === 'bank');
  says('desk', undefined);
  says('bank', '125.1');
  expect((await turn()).outcome).toBe('transfer.priced');
  // The same answer again and again, then one of before.
  expect((await turn()).outcome).toBe('transfer.priced');
  expect(bankOf()).toMatchObject({ kind: 'read', written: 0, of: 1 });
  says('bank', '99.9', 60 * MINUTE);
  const later = await turn();
  expect(later).toMatchObject({ outcome: 'transfer.priced', standing: ['bank 125.1 COUNTS'] });
  expect(bankOf()).toMatchObject({ kind: 'read', written: 0 });
  now += 10 * MINUTE;
  expect(await turn()).toMatchObject({ outcome: 'wait RATE_STALE', waits: 'a fresh rate of GBP/INR' });
  await close();
});
