// `corridor rates accept` as it is typed, over the API and on the stores alike.
import { CodedError } from '../../ports/fault.ts';

export const FROM_HELP =
  'what the corridor goes by, as `corridor status` says it, such as 125.2@7; absent: as the log says';

/** The rate that a corridor goes by, and its version. @throws CodedError OPTION_INVALID */
export function lastNamed(text: string | undefined): { readonly rate: string; readonly version: number } | undefined {
  if (text === undefined) return undefined;
  const [, rate, version] = /^([0-9.]{1,41})@([1-9][0-9]{0,9})$/.exec(text) ?? [];
  if (rate !== undefined) return { rate, version: Number(version) };
  throw new CodedError('OPTION_INVALID', '--from names a rate and its version, such as 125.2@7');
}
