// Codes of errors that the domain throws. The domain owns their names and imports nothing, so it is joined here.
import type { DomainErrorCode } from '../../domain/fault.ts';
import { type CatalogueEntry, entry } from './entry.ts';

export const domainCodes = {
  CORRIDORS_INVALID: entry('fatal', 'configuration', 500, 'Correct the corridor table as the message says.'),
  PRODUCERS_INVALID: entry('fatal', 'configuration', 500, 'Correct the file of producers as the message says.'),
  LIMIT_RULES_INVALID: entry('fatal', 'configuration', 500, 'Correct the limit rules as the message says.'),
  TERMS_INVALID: entry('fatal', 'configuration', 500, 'Correct the terms as the message says.'),
  KEY_RING_INVALID: entry(
    'fatal',
    'configuration',
    500,
    'Write each key as `id:secret`, with a secret of at least 32 characters and an id that is there once.',
  ),
  NETWORKS_INVALID: entry(
    'fatal',
    'configuration',
    500,
    'Write each network as an address and its bits: 10.20.0.0/16.',
  ),
  DECRYPTION_FAILED: entry(
    'poison',
    'a stored document',
    500,
    'Give the process every key under which it encrypted. If it has them, somebody changed the document: find out who.',
  ),
  MARGIN_OUT_OF_RANGE: entry(
    'poison',
    'configuration',
    500,
    'Set the margin to a whole number of basis points from 0 to 9999.',
  ),
  RATE_MALFORMED: entry('poison', 'a record', 422, 'Write the rate as a decimal string such as 96.0853.'),
  RATE_NOT_POSITIVE: entry('poison', 'a record', 422, 'Publish a rate above zero.'),
  SIGNING_KEY_INVALID: entry(
    'invalid-request',
    'configuration',
    400,
    'Make a key with `corridor audit key --new ORIGIN`, and set it whole.',
  ),
  ROUTE_BROKEN: entry('poison', 'a record', 422, 'Report it: the legs of the rate do not lead from source to target.'),
  CURRENCY_MISMATCH: entry('poison', 'a record', 422, 'Report it: amounts of two currencies were put together.'),
  CURRENCY_UNKNOWN: entry('poison', 'a record', 422, 'Add the currency to the table of currencies.'),
  AMOUNT_OVERFLOW: entry('poison', 'a record', 422, 'Lower the amount: it does not fit into 64 bits of minor units.'),
  PERSON_INVALID: entry('invalid-request', 'the caller', 400, 'Say which person acts, in printable characters.'),
  JUSTIFICATION_INVALID: entry('invalid-request', 'the caller', 400, 'Give a reason, in printable characters.'),
} as const satisfies Record<DomainErrorCode, CatalogueEntry>;
