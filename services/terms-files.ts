// Files of terms: read strictly, so that what a file says is what is meant, and nothing in it passes unseen.
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { strictJson, strictText } from '../domain/text/strict-json.ts';
import { CodedError } from '../ports/fault.ts';

/** What the file says. @throws CodedError TERMS_UNREADABLE (fatal) that names every place where it makes no sense */
export function readTerms<S extends z.ZodType>(file: string, schema: S): z.output<S> {
  let content: unknown;
  try {
    content = strictJson(strictText(readFileSync(file)));
  } catch (error) {
    throw unusable(file, (error as Error).message);
  }
  return parsed(file, content, schema);
}

/** What the content of a file says. @throws CodedError TERMS_UNREADABLE (fatal) that names every place where it makes no sense */
export function parsed<S extends z.ZodType>(file: string, content: unknown, schema: S): z.output<S> {
  try {
    return schema.parse(content);
  } catch (error) {
    throw unusable(file, error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message);
  }
}

export const unusable = (file: string, why: string): CodedError =>
  new CodedError('TERMS_UNREADABLE', `${file} cannot be used: ${why}`, { faultClass: 'fatal' });

/** Minor units as a string of digits: a JSON number is a double, and not every amount is one. At most 18 digits. */
export const minorUnits = z
  .string()
  .regex(/^(0|[1-9]\d{0,17})$/, 'minor units are a string of at most 18 digits, such as "99"')
  .transform(BigInt);
export const currencyCode = z.string().regex(/^[A-Z]{3}$/, 'a currency is an ISO 4217 code, such as GBP');
export const countryCode = z.string().regex(/^[A-Z]{2}$/, 'a country is an ISO 3166-1 alpha-2 code, such as GB');
