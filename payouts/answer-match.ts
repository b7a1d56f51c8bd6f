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

type Asked = Pick<PayoutInstruction, 'transferId' | 'endToEndId' | 'amount' | 'beneficiary'>;

/** Names of what the answer says otherwise than was asked; what it does not say is not compared. */
export function differences(echoed: EchoedInstruction, asked: Asked): readonly string[] {
  const { transferId, endToEndId, amount, beneficiaryDigest: digest } = echoed;
  return [
    ...(transferId !== undefined && transferId !== asked.transferId ? ['transferId'] : []),
    ...(endToEndId !== undefined && endToEndId !== asked.endToEndId ? ['endToEndId'] : []),
    ...(amount !== undefined && amount.minor !== asked.amount.minor ? ['amount'] : []),
    ...(amount !== undefined && amount.currency !== asked.amount.currency ? ['currency'] : []),
    ...(digest !== undefined && digest !== beneficiaryDigest(asked) ? ['beneficiary'] : []),
  ];
}
