// `corridor quotes`: a price before the transfer, asked for in a producer's name, and quotes as they stand.
import type { Command } from 'commander';
import { quotes } from '../../adapters/mongo/quotes.ts';
import { quoteDtoOf } from '../../api/v1/quote-dto.ts';
import { askForQuote } from '../../operations/quotes/ask.ts';
import type { StoredQuote } from '../../operations/quotes/ports.ts';
import { CodedError } from '../../ports/fault.ts';
import { hasRing, ringOf } from '../../ports/seals.ts';
import { unsealedQuote } from '../../processors/fx-pricing/quote-seals.ts';
import { producerTerms } from '../../services/configured-producers.ts';
import type { Connections } from '../../services/connections.ts';
import { withConnections } from '../connections.ts';
import { print, printError, toJson, withJson } from '../output.ts';
import { askingOf, type QuoteOptions } from '../quote-asking.ts';

interface RequestOptions extends QuoteOptions {
  readonly json?: boolean;
}

const REQUEST_HELP = `
Pricing answers within a second or so, where it runs: \`corridor quotes show\` tells. The same producer and key is the same quote; keys of the API are others.
A transfer that names it must say the same of amount, side, currencies, charge bearer, tier, funding and taxes.

Example:
  corridor quotes request --producer acme --key order-0001 --amount 100000 --currency GBP --from GBP --to INR`;

export function registerQuotes(program: Command): void {
  const group = program.command('quotes').description('prices that were made before the transfer');
  withJson(group.command('request'))
    .description('ask for a quote in the name of a producer')
    .requiredOption('--producer <id>', 'whose transfers may name it')
    .requiredOption('--key <text>', 'a key of your own for this request')
    .requiredOption('--amount <minor>', 'the amount that is fixed, in minor units')
    .requiredOption('--currency <code>', 'its currency: that of the source, or of the target')
    .requiredOption('--from <code>', 'currency of the debit')
    .requiredOption('--to <code>', 'currency of the credit')
    .option('--bearer <code>', 'who bears the charges: DEBT, CRED, SHAR or SLEV')
    .option('--tier <name>', 'KYC tier of the sender')
    .option('--funding <method>', 'ACCOUNT, CARD, CASH, MONEY_ORDER or PREFUNDED')
    .option('--tax <kind:authority...>', 'taxes that the producer takes by itself, as the intent will name them')
    .option('--indicative', 'to show alone: no transfer can have its price')
    .addHelpText('after', REQUEST_HELP)
    .action((options: RequestOptions) =>
      withConnections(async (connections) => {
        const asked = await request(connections, options);
        if (asked.kind === 'other-content')
          throw new CodedError('IDEMPOTENCY_KEY_REUSED', `${options.key} stands for a quote with another content`);
        printQuote(asked.quote, options.json);
      }),
    );
  withJson(group.command('show'))
    .description('a quote as it stands, and whether the stages have sealed its price')
    .argument('<quote>', 'id of the request, or of the quote')
    .addHelpText('after', '\nExample:\n  corridor quotes show 0b0e7c1e-6f0e-5f4e-9f6a-2a6d0f3b8a11')
    .action((quoteId: string, { json }: { json?: boolean }) =>
      withConnections(async (connections) => {
        const quote = await quotes(await connections.db()).show(quoteId);
        if (quote === undefined) throw new CodedError('QUOTE_UNKNOWN', `there is no quote ${quoteId}`);
        printQuote(quote, json);
        const flaw = flawOf(quote, connections);
        if (flaw !== undefined) printError(flaw);
      }),
    );
}

async function request(connections: Connections, options: RequestOptions) {
  const { config } = connections;
  if (!config.quotes.offered) throw new CodedError('QUOTES_OFF', 'CORRIDOR_QUOTES is not set');
  const asking = askingOf(options, producerTerms(config));
  return askForQuote(quotes(await connections.db()), asking, Date.now(), config.quotes.maxUnused);
}

function printQuote(stored: StoredQuote, json: boolean | undefined): void {
  const quote = quoteDtoOf(stored, Date.now());
  if (json) {
    print(toJson(quote));
    return;
  }
  const { requestId, quoteId, state, kind, producerId, instructedAmount, amountSide, price, reason, usedBy } = quote;
  print(`${requestId}: ${state}, ${kind.toLowerCase()}, of ${producerId}`);
  print(`  asked: ${instructedAmount.text}, ${amountSide === 'SOURCE' ? 'to be debited' : 'to be received'}`);
  if (price) {
    print(`  quote ${quoteId}: what a transfer names`);
    print(
      `  debit ${price.debit.text}, credit ${price.credit.text}, rate ${price.customerRate} (mid ${price.midRate})`,
    );
    print(`  holds until ${price.validUntil}, by the terms ${price.termsVersion ?? 'of before'}`);
  }
  if (reason) print(`  refused: ${reason.code} ${reason.detail}`);
  if (usedBy) print(`  used by ${usedBy}`);
}

/** What is wrong with the seal, in words; undefined: nothing, or there is no price yet. */
function flawOf({ answer }: StoredQuote, { config }: Connections): string | undefined {
  if (answer?.kind !== 'priced') return undefined;
  if (!hasRing(config.keys, 'stages')) return 'without CORRIDOR_STAGE_KEYS nobody looked who made the price';
  if (unsealedQuote(ringOf(config.keys, 'stages'), answer.sealed)) return undefined;
  return 'its price is not under the seal of the stages: no transfer gets it';
}
