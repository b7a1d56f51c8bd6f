// Bank codes by the clearing system that gives them (ISO 20022 ExternalClearingSystemIdentification1Code).
import type { AccountRule } from './corridors.ts';

/** The clearing system in which a bank code of an account is a member's. */
export const CLEARING_SYSTEMS: Readonly<Record<Exclude<AccountRule['agent'], 'NONE'>, string>> = {
  IFSC: 'INFSC',
  SORT_CODE: 'GBDSC',
  ABA: 'USABA',
};
