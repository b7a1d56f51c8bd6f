// Quotes in MongoDB: fx_quotes { _id: requestId, producerId, request, askedAt, state, answeredAt, quoteId, content, seal, reason,
// holdsUntil }, and which transfer uses each: quote_claims { _id: quoteId, transferId, originPosition, claimedAt, seal }. A quote is
// priced by its sealed content alone, of which its id is made; what stands beside it is for finding, counting and showing it.
import type { Db } from 'mongodb';
import { z } from 'zod';
import type { Quotes, StoredAnswer, StoredQuote } from '../../operations/quotes/ports.ts';
import type { Failpoint } from '../../ports/failpoint.ts';
import type { PricingFailpoint, QuoteStore } from '../../processors/fx-pricing/ports.ts';
import type { AskedQuote } from '../../processors/fx-pricing/processor.ts';
import { QUOTE_KINDS, type QuoteRequest } from '../../processors/fx-pricing/quote.ts';
import type { SealedClaim, SealedQuote } from '../../processors/fx-pricing/quote-seals.ts';
import type { IndexSpec } from '../../sinks/idempotent-writes.ts';
import { type ClaimDocument, claimAll, findByIds, insertFree } from './claims.ts';
import { MAJORITY } from './client.ts';
import { guarded } from './fault.ts';
import { ensureIndexes } from './idempotent-store.ts';
import { STAMP } from './schema-version.ts';

export const QUOTES = 'fx_quotes';
export const QUOTE_CLAIMS = 'quote_claims';

/** All else is found by `_id`. None is unique: whoever else writes here could keep an answer from being kept. */
const INDEXES: readonly IndexSpec[] = [
  {
    name: 'unanswered',
    keys: { state: 1, askedAt: 1 },
    servedQuery: 'requests that nobody has answered, the oldest first, several times a second (pricing)',
  },
  {
    name: 'unanswered-of-producer',
    keys: { producerId: 1, state: 1 },
    servedQuery: 'how many requests of a producer nobody has answered, at each request (API); ends at the limit',
  },
  {
    name: 'unused-of-producer',
    keys: { producerId: 1, holdsUntil: 1 },
    servedQuery:
      'how many guaranteed quotes of a producer hold and are not used, at each request (API); ends at the limit',
  },
  {
    name: 'by-quote',
    keys: { quoteId: 1 },
    servedQuery: 'the quotes that the transfers of a batch name (pricing), and one quote by its id (API, CLI)',
  },
];

const currency = z.string().regex(/^[A-Z]{3}$/);
const tax = z.object({
  kind: z.string().regex(/^[A-Z][A-Z0-9_]{0,15}$/),
  authority: z.string().regex(/^[A-Z0-9][A-Z0-9_-]{0,34}$/),
});
const isLong = (minor: string): boolean => BigInt.asIntN(64, BigInt(minor)) === BigInt(minor);

/** What the API takes and no more: whoever else writes a request has nothing priced that nobody could have asked for. */
const stored = z.object({
  _id: z.string(),
  producerId: z.string(),
  request: z.object({
    kind: z.enum(QUOTE_KINDS),
    side: z.enum(['SOURCE', 'TARGET']),
    amount: z.object({
      minor: z
        .string()
        .regex(/^\d{1,19}$/)
        .refine(isLong),
      currency,
    }),
    ...{ sourceCurrency: currency, targetCurrency: currency },
    chargeBearer: z.enum(['DEBT', 'CRED', 'SHAR', 'SLEV']),
    kycTier: z
      .string()
      .regex(/^[A-Z][A-Z0-9_]{0,15}$/)
      .nullable(),
    fundingMethod: z.enum(['ACCOUNT', 'CARD', 'CASH', 'MONEY_ORDER', 'PREFUNDED']).nullable(),
    declaredTaxes: z.array(tax).max(10),
  }),
  askedAt: z.date(),
  answeredAt: z.date().nullable(),
  quoteId: z.string().nullish(),
  content: z.string().nullable(),
  seal: z.string().nullable(),
  reason: z.object({ code: z.string(), detail: z.string() }).nullable(),
});
type Stored = z.output<typeof stored>;

/** Documents that are read of one id at most. */
const MAX_OF_ONE_ID = 4;

export interface MongoQuotes extends Quotes, QuoteStore {
  ensureIndexes(): Promise<void>;
}

export function quotes(db: Db, options: { readonly failpoint?: Failpoint<PricingFailpoint> } = {}): MongoQuotes {
  const collection = db.collection<ClaimDocument>(QUOTES, MAJORITY);
  const claims = db.collection<ClaimDocument>(QUOTE_CLAIMS, MAJORITY);
  // Behind the claim: who dies in between leaves a quote that counts as unused until it has expired, and no other has it.
  const noLongerOpen = async (ids: readonly string[]) => {
    const writes = ids.map((quoteId) => ({
      updateOne: { filter: { quoteId }, update: { $unset: { holdsUntil: '' } } },
    }));
    if (writes.length > 0) await guarded(() => collection.bulkWrite(writes as never, { ordered: false }));
  };
  const claimsOf = async (ids: readonly string[]) => (await findByIds(claims, ids)).map(claimOf);
  return {
    ensureIndexes: () => ensureIndexes(db, QUOTES, INDEXES),
    ask: async (asked) => (await insertFree(collection, [askedOf(asked)])).size === 0,
    open: (producerId, limit) => guarded(() => collection.countDocuments({ producerId, state: 'ASKED' }, { limit })),
    unused: (producerId, at, limit) =>
      guarded(() => {
        const holds = { producerId, holdsUntil: { $gt: new Date(at) } };
        const waits = { producerId, state: 'ASKED', 'request.kind': 'GUARANTEED' };
        return collection.countDocuments({ $or: [holds, waits] }, { limit });
      }),
    withdraw: async (requestId) =>
      (await guarded(() => collection.deleteOne({ _id: requestId, state: 'ASKED' }))).deletedCount > 0,
    async show(id) {
      const quoted = collection.find({ quoteId: id }).limit(1);
      const [[asked], [priced]] = await Promise.all([findByIds(collection, [id]), guarded(() => quoted.toArray())]);
      const found = stored.safeParse(asked ?? priced);
      if (!found.success) return undefined;
      const { quoteId } = found.data;
      const [claim] = quoteId ? await claimsOf([quoteId]) : [];
      return quoteOf(found.data, claim);
    },
    async unanswered(limit) {
      const waiting = collection.find({ state: 'ASKED' }).sort({ askedAt: 1 }).limit(limit);
      const documents = await guarded(() => waiting.toArray());
      const read = documents.map((document) => ({ _id: document._id, ...stored.safeParse(document) }));
      return {
        requests: read.flatMap((each) => (each.success ? [askedIn(each.data)] : [])),
        unreadable: read.flatMap((each) => (each.success ? [] : [each._id])),
      };
    },
    async answer(answers) {
      const writes = [...answers].map(([_id, answer]) => ({
        updateOne: { filter: { _id, state: 'ASKED' }, update: { $set: answered(answer) } },
      }));
      if (writes.length > 0) await guarded(() => collection.bulkWrite(writes as never, { ordered: false }));
    },
    async find(ids) {
      // More under one id are copies: enough are read that no honest one is missed where a few are.
      const quoted = collection.find({ quoteId: { $in: [...ids] } }).limit(ids.length * MAX_OF_ONE_ID);
      const [documents, standing] = await Promise.all([guarded(() => quoted.toArray()), claimsOf(ids)]);
      return { quotes: documents.flatMap(sealedIn), claims: standing };
    },
    async claim(wanted) {
      const documents = wanted.map(({ quoteId, claimedAt, ...rest }) => ({
        ...{ _id: quoteId, ...rest, claimedAt: new Date(claimedAt) },
        ...STAMP,
      }));
      const between = () => options.failpoint?.('quote-claims.after-insert');
      const standing = (await claimAll<ClaimDocument>(claims, documents, between)).map(claimOf);
      await noLongerOpen(standing.map(({ quoteId }) => quoteId));
      return standing;
    },
  };
}

const askedOf = ({ request: { requestId, producerId, ...request }, askedAt }: AskedQuote) => ({
  _id: requestId,
  producerId,
  request: {
    ...request,
    amount: { ...request.amount, minor: request.amount.minor.toString() },
    declaredTaxes: request.declaredTaxes.map(({ kind, authority }) => ({ kind, authority })),
  },
  ...{ state: 'ASKED', askedAt: new Date(askedAt), answeredAt: null, content: null, seal: null, reason: null },
  ...STAMP,
});

function answered(answer: StoredAnswer) {
  const answeredAt = new Date(answer.at);
  if (answer.kind === 'refused') return { state: 'REFUSED', answeredAt, reason: answer.reason };
  const { sealed, holdsUntil } = answer;
  return {
    state: 'PRICED',
    answeredAt,
    ...sealed,
    ...(holdsUntil === undefined ? {} : { holdsUntil: new Date(holdsUntil) }),
  };
}

const requestOf = ({ _id, producerId, request }: Stored): QuoteRequest => ({
  ...request,
  ...{ requestId: _id, producerId },
  amount: { ...request.amount, minor: BigInt(request.amount.minor) },
});

const askedIn = (found: Stored): AskedQuote => ({ request: requestOf(found), askedAt: found.askedAt.getTime() });

function answerOf({ answeredAt, quoteId, content, seal, reason }: Stored): StoredAnswer | undefined {
  if (answeredAt === null) return undefined;
  const at = answeredAt.getTime();
  if (quoteId && content !== null && seal !== null) return { kind: 'priced', at, sealed: { quoteId, content, seal } };
  return reason === null ? undefined : { kind: 'refused', at, reason };
}

const quoteOf = (found: Stored, claim: SealedClaim | undefined): StoredQuote => ({
  ...{ ...askedIn(found), answer: answerOf(found), claim },
});

/** What may be a quote under a seal: the rest of the document is nobody's word. */
function sealedIn({ quoteId, content, seal }: ClaimDocument): readonly SealedQuote[] {
  const found = sealed.safeParse({ quoteId, content, seal });
  return found.success ? [found.data] : [];
}
const sealed = z.object({ quoteId: z.string(), content: z.string(), seal: z.string() });

const claimed = z.object({ transferId: z.string(), originPosition: z.string(), claimedAt: z.date(), seal: z.string() });

/** A claim of another shape is one all the same, of no transfer that there is: the quote counts as used. */
function claimOf(document: ClaimDocument): SealedClaim {
  const found = claimed.safeParse(document);
  if (!found.success) return { quoteId: document._id, transferId: '', originPosition: '', claimedAt: 0, seal: '' };
  return { quoteId: document._id, ...found.data, claimedAt: found.data.claimedAt.getTime() };
}
