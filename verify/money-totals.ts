// Money by currency, over the transfers that the log shows as paid. Two accounts that must balance:
//
//   source currency   debited = principal + fees + taxes   what senders gave up is what was exchanged and what was charged
//   target currency   credited = executed              what beneficiaries were to get is what the provider says it paid
//                     returned = returnedByProvider    what came back, by the log and by the provider

export interface CurrencyTotals {
  debited: bigint;
  principal: bigint;
  fees: bigint;
  taxes: bigint;
  credited: bigint;
  /** Of `credited`: came back. */
  returned: bigint;
  /** By the provider's ledger, for the same transfers. */
  executed: bigint;
  returnedByProvider: bigint;
  /** Open exposure: what prices open, less what is taken back. Above zero: the house holds so much of it. */
  open: bigint;
}

const NONE: CurrencyTotals = {
  debited: 0n,
  principal: 0n,
  fees: 0n,
  taxes: 0n,
  credited: 0n,
  returned: 0n,
  executed: 0n,
  returnedByProvider: 0n,
  open: 0n,
};

export class Totals {
  readonly #byCurrency = new Map<string, CurrencyTotals>();

  constructor(before: Readonly<Record<string, CurrencyTotals>> = {}) {
    for (const [currency, totals] of Object.entries(before)) this.#byCurrency.set(currency, { ...NONE, ...totals });
  }

  of(currency: string): CurrencyTotals {
    const known = this.#byCurrency.get(currency);
    if (known !== undefined) return known;
    const totals = { ...NONE };
    this.#byCurrency.set(currency, totals);
    return totals;
  }

  entries(): readonly (readonly [string, CurrencyTotals])[] {
    return [...this.#byCurrency].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}
