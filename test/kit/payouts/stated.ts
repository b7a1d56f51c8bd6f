// What goes to a provider beside amount and beneficiary, for tests.
import type { PayoutInstruction } from '../../../payouts/payout.ts';

export const STATED: Pick<PayoutInstruction, 'payer' | 'purpose' | 'chargeBearer' | 'uetr'> = {
  payer: {
    ...{ name: 'P', kind: 'PERSON', account: '2', bankCode: null, country: 'GB', customerNumber: 'c-1' },
    address: null,
    ...{ addressLine: null, birthDate: null, birthPlace: null, identifiers: [] },
  },
  purpose: { code: 'DEPD', national: null },
  chargeBearer: 'SLEV',
  uetr: '6f9619ff-8b86-4011-b42d-00c04fc964ff',
};
