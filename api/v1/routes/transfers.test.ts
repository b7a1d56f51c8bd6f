import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AT } from '../../../test/kit/builders.ts';
import { bearer, type Memory, testApi, transferDocument } from '../../testing/api.ts';

let app: FastifyInstance;
let memory: Memory;
beforeEach(async () => {
  ({ app, memory } = await testApi());
});
afterEach(() => app.close());

const get = async (url: string, headers: Readonly<Record<string, string>> = {}) =>
  app.inject({ url, headers: { ...(await bearer('vera', 'viewer')), ...headers } });

describe('a transfer', () => {
  it('is told with amounts as text, and its corridor', async () => {
    memory.transfers.push(transferDocument());
    const response = await get('/v1/transfers/transfer-0001');
    expect(response.statusCode).toBe(200);
    expect(response.json()).toMatchObject({
      transferId: 'transfer-0001',
      state: 'PRICED',
      corridor: 'GB-IN',
      debit: { minor: (2n ** 60n).toString(), currency: 'GBP', text: '11529215046068469.76 GBP' },
      credit: { minor: '12480000', currency: 'INR' },
      updatedAt: new Date(AT).toISOString(),
    });
    expect(response.body).not.toMatch(/[dD]ebtorToken|[cC]reditorToken/);
  });

  it('is not sent again to whoever has it as it is', async () => {
    memory.transfers.push(transferDocument());
    const { etag } = (await get('/v1/transfers/transfer-0001')).headers;
    const again = await get('/v1/transfers/transfer-0001', { 'if-none-match': etag as string });
    expect([again.statusCode, again.body]).toEqual([304, '']);
    memory.transfers[0] = transferDocument({ version: 8 });
    expect((await get('/v1/transfers/transfer-0001', { 'if-none-match': etag as string })).statusCode).toBe(200);
  });

  it('that intake refused is told as that', async () => {
    const reasons = [{ code: 'AM01', detail: '' }];
    memory.events.push({
      ...{ _id: 'e', topic: 'intent.rejected', transferId: 'transfer-0002', ingestedAt: new Date(AT) },
      ...{ originPosition: 'T:0:1', occurredAt: AT, reasons, firstOriginPosition: null },
    } as never);
    expect((await get('/v1/transfers/transfer-0002')).json()).toMatchObject({
      ...{ state: 'INTENT_REJECTED', stage: 'INTAKE', reasonCodes: ['AM01'], debit: null },
    });
    expect((await get('/v1/transfers/transfer-0002/timeline')).json().steps).toMatchObject([
      { sequence: null, state: 'intent.rejected', afterMs: 0, reasonCodes: ['AM01'] },
    ]);
  });

  it('is disclosed with exact amounts, and with what rules ask for', async () => {
    const {
      _id,
      version: _,
      updatedAt: __,
      lastEventId,
      ...row
    } = transferDocument({ debitMinor: 100_199n, creditMinor: 12_480_000n });
    const event = { ...row, _id: lastEventId, transferId: _id, topic: 'transfer.lifecycle', ingestedAt: new Date(AT) };
    memory.events.push(event as never);
    const disclosure = (await get('/v1/transfers/transfer-0001/disclosure')).json();
    expect(disclosure).toMatchObject({
      ...{ state: 'PRICED', shownRate: '124.6900', customerRate: '124.69', difference: null, availableAt: null },
      total: { minor: '100199', currency: 'GBP' },
      transferAmount: { minor: '100000', currency: 'GBP' },
      totalToRecipient: { minor: '12480000', currency: 'INR' },
      requirements: [],
    });
    memory.events.splice(0, 1, { ...event, sourceCountry: 'AE' } as never);
    const { requirements } = (await get('/v1/transfers/transfer-0001/disclosure')).json();
    expect(requirements).toContainEqual(
      expect.objectContaining({ ruleId: 'ae-cbuae-exchange', field: 'difference', state: 'MISSING' }),
    );
  });

  it('without a price has no disclosure yet', async () => {
    const {
      _id,
      version: _,
      updatedAt: __,
      lastEventId,
      ...row
    } = transferDocument({ debitMinor: null, state: 'SCREENED' });
    memory.events.push({
      ...row,
      _id: lastEventId,
      transferId: _id,
      topic: 'transfer.lifecycle',
      ingestedAt: new Date(AT),
    } as never);
    const response = await get('/v1/transfers/transfer-0001/disclosure');
    expect([response.statusCode, response.json().code]).toEqual([404, 'TRANSFER_UNPRICED']);
  });

  it.each(['', '/timeline', '/disclosure', '/explanation'])('that nobody knows is a problem (%s)', async (what) => {
    const headers = await bearer('carol', 'compliance');
    const response = await app.inject({ url: `/v1/transfers/transfer-0404${what}`, headers });
    expect(response.statusCode).toBe(404);
    expect(response.json().code).toMatch(/^(TRANSFER|EVIDENCE)_UNKNOWN$/);
  });

  it.each(['short', 'with space', `${'a'.repeat(65)}`, '-leading-1', 'a%00b-12345'])(
    'cannot have the id %s',
    async (id) => {
      const response = await get(`/v1/transfers/${encodeURI(id).replace('%2500', '%00')}`);
      expect(response.json()).toMatchObject({
        code: 'REQUEST_INVALID',
        errors: [{ in: 'path', pointer: '/transferId' }],
      });
    },
  );
});

describe('the list of transfers', () => {
  beforeEach(() => {
    for (let i = 0; i < 25; i++) {
      memory.transfers.push(
        transferDocument({
          _id: `transfer-${String(i).padStart(4, '0')}`,
          state: i % 2 === 0 ? 'HELD' : 'PRICED',
          // Several at the same instant: the id says which comes first.
          updatedAt: new Date(AT - Math.floor(i / 4) * 1_000),
        }),
      );
    }
  });

  async function pages(query: string): Promise<string[][]> {
    const found: string[][] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const response = await get(`/v1/transfers?${query}${cursor === '' ? '' : `&cursor=${cursor}`}`);
      expect(response.statusCode).toBe(200);
      const { items, nextCursor } = response.json() as { items: { transferId: string }[]; nextCursor: string | null };
      found.push(items.map(({ transferId }) => transferId));
      cursor = nextCursor;
    }
    return found;
  }

  it('has each once, latest first, over all pages', async () => {
    const all = memory.transfers.toSorted((a, b) => +b.updatedAt - +a.updatedAt || (a._id < b._id ? 1 : -1));
    const found = await pages('limit=4');
    expect(found.flat()).toEqual(all.map(({ _id }) => _id));
    expect(found).toHaveLength(7);
    expect((await pages('limit=25')).map((page) => page.length)).toEqual([25]);
  });

  it('has those in one state, in one corridor, to which nothing has happened since', async () => {
    expect((await pages('state=HELD&limit=5')).flat()).toHaveLength(13);
    expect((await pages('corridor=GB-IN')).flat()).toHaveLength(25);
    expect((await pages('corridor=EU-IN')).flat()).toEqual([]);
    const old = await pages(`olderThan=${new Date(AT - 5_000).toISOString()}`);
    expect(old.flat()).toHaveLength(5);
  });

  it.each([
    'state=NEW',
    'corridor=XX-YY',
    'olderThan=yesterday',
    'limit=0',
    'limit=201',
    'limit=1e2',
    'state=HELD&state=PRICED',
    'limit[$gt]=1',
  ])('refuses %s', async (query) => {
    const response = await get(`/v1/transfers?${query}`);
    expect(response.json()).toMatchObject({ status: 400, code: 'REQUEST_INVALID' });
  });

  it.each(['abc', 'WzFd', Buffer.from('[{"$gt":""},"a"]').toString('base64url')])(
    'refuses the cursor %s',
    async (cursor) => {
      expect((await get(`/v1/transfers?cursor=${cursor}`)).json()).toMatchObject({
        status: 400,
        code: 'CURSOR_INVALID',
      });
    },
  );
});
