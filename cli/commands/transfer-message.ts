// `corridor transfers message ID`: the payout of a transfer as a pacs.008 in the form of CBPR+, for people who trace a payment.
import { type Command, InvalidArgumentError } from 'commander';
import { isChecked, payoutMessage } from '../../operations/queries/payout-message.ts';
import { CodedError } from '../../ports/fault.ts';
import { withConnections } from '../connections.ts';
import { print, printError, withUnmask } from '../output.ts';

interface MessageOptions {
  readonly from: string;
  readonly to: string;
  readonly unmask?: string;
}

const BIC = /^[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?$/;

export function registerTransferMessage(transfers: Command): void {
  withUnmask(transfers.command('message'))
    .argument('<id>', 'transferId')
    .description('the payout of a transfer as an ISO 20022 message (pacs.008.001.08, CBPR+ 2026)')
    .requiredOption('--from <bic>', 'BIC of the house that instructs')
    .requiredOption('--to <bic>', 'BIC of the agent that is instructed')
    .addHelpText(
      'after',
      `
It is made from what payout dispatch asked for last, as the log has it, and holds names, accounts and addresses: --unmask must
say why, and the look is in the audit log before anything is shown. Nothing is sent.

Example:
  corridor transfers message 0b0cdf6e-7b3f-5c8e-9a36-64f2b1a4a7ce --from QQNRGB2LXXX --to QQSAINBBXXX --unmask INCIDENT`,
    )
    .action((id: string, { from, to, unmask }: MessageOptions) =>
      withConnections(async ({ log, codec, config }) => {
        // A message needs the names; the look at them, with its reason, is in the audit log by now.
        if (unmask === undefined) throw new CodedError('LOOK_REASON_INVALID', 'say why by --unmask: it shows names');
        if (!BIC.test(from) || !BIC.test(to)) throw new InvalidArgumentError('--from and --to must each be a BIC');
        const { chainPartitions } = config.kafka;
        const sides = { from, to, now: Date.now() };
        const { xml, faults } = await payoutMessage({ log, codec, keys: config.keys, chainPartitions }, id, sides);
        print(xml.trimEnd());
        if (!isChecked(config.keys)) {
          printError(
            'nobody has proven that payout dispatch asked for this: set CORRIDOR_STAGE_KEYS to have its seal checked',
          );
        }
        for (const fault of faults) printError(`not the address that CBPR+ wants since 2026-11-14: ${fault}`);
      }),
    );
}
