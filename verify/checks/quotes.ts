// Transfers that name a quote: each has its price and no other, asks for what was quoted, in time, and no quote is the price of two.
import type { KeyRing } from '../../domain/seals/seal.ts';
import type { QuoteStore } from '../../processors/fx-pricing/ports.ts';
import type { Quote } from '../../processors/fx-pricing/quote.ts';
import { proofsOf } from '../../processors/fx-pricing/quote-claims.ts';
import { validUntilOf } from '../../processors/fx-pricing/quote-seals.ts';
import { honoured, lookAtQuote } from '../../processors/fx-pricing/quotes.ts';
import type { Price } from '../../schemas/types.generated.ts';
import { type Check, ofTopic, type Run } from '../check.ts';
import type { FindingCode } from '../finding-codes.ts';
import type { KeptQuotes } from '../ports.ts';
import { positionOf, type Seen } from '../transfer.ts';

const NAME = 'quotes';
type Priced = Seen<'transfer.priced'>;

interface Use {
  readonly quoteId: string;
  readonly transferId: string;
  readonly position: string;
  /** When the transfer was priced, and from when on it could be no more; ms since 1970. */
  readonly at: number;
  readonly until: number;
}

/** One of a run: of a partition at a time it keeps when transfers that name quotes came to pricing. */
export function quotes(): Check {
  const cameAt = new Map<string, number>();
  const uses: Use[] = [];
  return {
    name: NAME,
    proves:
      'Each transfer that names a quote asks for what was quoted to its producer and has that price, once, in time, and no two have one of the same quote.',
    record(seen, run) {
      if (seen.topic === 'transfer.screened') {
        const { instruction, envelope } = seen.value;
        if (instruction.quoteId !== null) cameAt.set(envelope.transferId, seen.record.timestamp);
      }
      if (seen.topic !== 'transfer.priced') return;
      const use = useIn(seen);
      if (use === undefined) return;
      const { quoteId, transferId, position } = use;
      const { attempt } = seen.value.envelope;
      if (attempt > 1) {
        const detail = `${quoteId} was its price; attempt ${attempt} has another`;
        run.findings.add(NAME, { code: 'QUOTE_REPRICED', transferId, position, detail });
        return;
      }
      uses.push(use);
      const first = run.quoteUses.add({ quoteId, transferId, expiresAt: seen.value.price.expiresAt });
      if (first === undefined) return;
      const detail = `${quoteId} is the price of ${first} too`;
      run.findings.add(NAME, { code: 'QUOTE_USED_TWICE', transferId, position, detail });
    },
    async batch(batch, run) {
      const { quotes: kept } = run.sources;
      const named = ofTopic(batch, 'transfer.priced').filter(
        ({ value }) => value.instruction.quoteId !== null && value.envelope.attempt === 1,
      );
      if (kept !== undefined && named.length > 0) await compare(named, kept, run);
    },
    partition(_partition, run) {
      for (const { transferId, position, quoteId, at, until } of uses) {
        // By both clocks, as pricing decides; when it came is not known where an earlier run has read that.
        if (Math.min(at, cameAt.get(transferId) ?? 0) < until) continue;
        const detail = `${quoteId} had expired when the transfer came to its price`;
        run.findings.add(NAME, { code: 'QUOTE_DIFFERS', transferId, position, detail });
      }
      uses.length = 0;
      cameAt.clear();
    },
  };
}

/** What a store keeps, as far as the stages have sealed it. */
export const keptQuotes = (store: Pick<QuoteStore, 'find'>, ring: KeyRing): KeptQuotes => ({
  ring,
  async find(ids) {
    const { quotes: kept, claims } = await store.find(ids);
    return { proofs: proofsOf(ring, kept), claims };
  },
});

function useIn({ topic, value, record }: Priced): Use | undefined {
  const { envelope, instruction, price } = value;
  const { quoteId } = instruction;
  if (quoteId === null) return undefined;
  const position = positionOf(topic, record.partition, record.offset);
  return { quoteId, transferId: envelope.transferId, position, at: envelope.occurredAt, until: validUntilOf(price) };
}

async function compare(named: readonly Priced[], kept: KeptQuotes, run: Run): Promise<void> {
  const ids = [...new Set(named.map(({ value }) => value.instruction.quoteId!))];
  const { proofs, claims } = await kept.find(ids);
  const standing = new Map(claims.map((claim) => [claim.quoteId, claim]));
  for (const seen of named) {
    const { quoteId: id, transferId, position, at } = useIn(seen)!;
    const say = (code: FindingCode, detail: string) =>
      run.findings.add(NAME, { code, transferId, position, detail: `${id} ${detail}` });
    const proof = proofs.get(id) ?? { kind: 'none' };
    if (proof.kind !== 'proven') {
      const key =
        proof.kind === 'unknown-key' ? `: its seal is under the key ${proof.keyId}, which is not known here` : '';
      say('QUOTE_NOT_SEALED', `is not proven to have been quoted${key}`);
      continue;
    }
    const { value } = seen;
    const claim = standing.get(id);
    const user = { instruction: value.instruction, transferId, appendedAt: at, corridor: undefined };
    const look = lookAtQuote({ proof, claim, ring: kept.ring }, user, at);
    if (look.kind === 'refused' && OTHERS.has(look.reason.code)) say('QUOTE_DIFFERS', look.reason.detail);
    else if (look.kind !== 'own')
      say('QUOTE_NOT_CLAIMED', `is claimed by ${claim?.transferId || 'nobody'}${bySeal(claim)}`);
    const differing = differingIn(value.price, proof.of, {
      at,
      claimedAt: look.kind === 'own' ? look.claim.claimedAt : at,
    });
    if (differing.length > 0) say('QUOTE_DIFFERS', `was quoted with another ${differing.join(', ')}`);
  }
}

/** Reasons for which the transfer should never have had the price, whoever claims it. */
const OTHERS: ReadonlySet<string> = new Set(['QPRD', 'QUNK', 'QDIF', 'QIND']);
const bySeal = (claim: object | undefined): string => (claim === undefined ? '' : ', as far as stages have sealed it');

/** What of the price is another than was quoted. The time to take it back counts from the use. */
function differingIn(
  price: Price,
  quote: Quote,
  { at, claimedAt }: { at: number; claimedAt: number },
): readonly string[] {
  const right = honoured(quote, { claimedAt });
  const names = Object.keys(price) as (keyof Price)[];
  const differing: string[] = names.filter((name) => textOf(price[name]) !== textOf(right.price[name]));
  return right.at === at ? differing : [...differing, 'time of its use'];
}

/** The same values are the same text, in whatever order their fields stand. */
const textOf = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner === 'bigint') return `${inner}n`;
    if (inner === null || typeof inner !== 'object' || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }) ?? '';
