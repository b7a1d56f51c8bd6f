// Whether an answer speaks of the payout that was asked for. Pure.
import { createHash } from 'node:crypto';
import type { EchoedInstruction, PayoutInstruction } from './payout.ts';

/**
 * To whom a payout goes, without saying it: the hex SHA-256 of transfer id, account and bank code (empty where there is
 * none), separated by line feeds. The provider makes it of what it has taken.
 */
export function beneficiaryDigest({ transferId, beneficiary }: Asked): string {
  const { account, bankCode } = beneficiary;
  return createHash('sha256')
    .update([transferId, account, bankCode ?? ''].join('\n'))
    .digest('hex');
}

/**
 * What was said of the payer and of why, without saying it: the hex SHA-256 of the JSON array of these parts in this order. The
 * provider makes it of what it has taken.
 */
export function payerDigest({ payer, purpose, chargeBearer, uetr }: Stated): string {
  const { name, kind, account, bankCode, country, customerNumber, address: at, addressLine, birthDate } = payer;
  const address = at && [at.street, at.building, at.postCode, at.town, at.subdivision, at.country, at.lines];
  const born = payer.birthPlace && [payer.birthPlace.town, payer.birthPlace.country];
  const identifiers = payer.identifiers.map((each) => [each.scheme, each.value, each.country]);
  const { national } = purpose;
  const why = [purpose.code, national && [national.scheme, national.code, national.relation]];
  const who = [name, kind, account, bankCode, country, customerNumber, address, addressLine, birthDate, born];
  return createHash('sha256')
    .update(JSON.stringify([...who, identifiers, ...why, chargeBearer, uetr]))
    .digest('hex');
}

type Stated = Pick<PayoutInstruction, 'payer' | 'purpose' | 'chargeBearer' | 'uetr'>;
type Asked = Pick<PayoutInstruction, 'transferId' | 'endToEndId' | 'amount' | 'beneficiary'>;

/** Names of what the answer says otherwise than was asked; what it does not say is not compared. */
export function differences(echoed: EchoedInstruction, asked: Asked & Stated): readonly string[] {
  const { transferId, endToEndId, amount, beneficiaryDigest: digest, payerDigest: ofPayer } = echoed;
  return [
    ...(transferId !== undefined && transferId !== asked.transferId ? ['transferId'] : []),
    ...(endToEndId !== undefined && endToEndId !== asked.endToEndId ? ['endToEndId'] : []),
    ...(amount !== undefined && amount.minor !== asked.amount.minor ? ['amount'] : []),
    ...(amount !== undefined && amount.currency !== asked.amount.currency ? ['currency'] : []),
    ...(digest !== undefined && digest !== beneficiaryDigest(asked) ? ['beneficiary'] : []),
    ...(ofPayer !== undefined && ofPayer !== payerDigest(asked) ? ['payer'] : []),
  ];
}
