// `corridor policy`: versions of what is law as data, on the log.
import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { personWithKeys } from '../../operations/access/principal.ts';
import { askToActivatePolicy } from '../../operations/policies/activate.ts';
import { comparePolicies, listPolicies, showPolicy } from '../../operations/policies/versions.ts';
import { ringOf } from '../../ports/seals.ts';
import { openApprovals } from '../../services/approvals.ts';
import { policyBook, policyLog } from '../../services/policies.ts';
import { withConnections } from '../connections.ts';
import { print, toJson, withJson } from '../output.ts';
import { contentOf, printAsked, printPolicies, printVersion, proposeCommand, versionNumber } from '../policies.ts';

interface ProposeOptions {
  readonly file?: string;
  readonly version?: number;
  readonly from?: Date;
  readonly reason: string;
  readonly by: string;
}

const withPolicies = (
  use: (parts: {
    readonly connections: Parameters<Parameters<typeof withConnections>[0]>[0];
    readonly kinds: ReturnType<typeof policyBook>;
    readonly log: ReturnType<typeof policyLog>;
  }) => Promise<void>,
) =>
  withConnections((connections) =>
    use({ connections, kinds: policyBook(connections.config), log: policyLog(connections) }),
  );

export function registerPolicies(program: Command): void {
  const policy = program.command('policy').description('law as data: versions of limit rules and of terms');

  withJson(policy.command('list'))
    .argument('[kind]', 'limits or terms; without one, all')
    .description('which versions there are, and which is in force')
    .addHelpText('after', '\nExample:\n  corridor policy list limits')
    .action((kind: string | undefined, { json }: { json?: boolean }) =>
      withPolicies(async ({ kinds, log }) => {
        const found = await listPolicies(kinds, log, { now: Date.now(), kind });
        printPolicies(found, json === true);
      }),
    );

  withJson(policy.command('show'))
    .argument('<kind>', 'limits or terms')
    .argument('<version>', 'its number', versionNumber)
    .description('what a version says, and what it changed')
    .addHelpText('after', '\nExample:\n  corridor policy show limits 3 --json')
    .action((kind: string, version: number, { json }: { json?: boolean }) =>
      withPolicies(async ({ kinds, log }) =>
        printVersion(await showPolicy(kinds, log, { kind, version, now: Date.now() }), json === true),
      ),
    );

  withJson(policy.command('diff'))
    .argument('<kind>', 'limits or terms')
    .argument('<from>', 'number of a version; 0: what is configured here', versionNumber)
    .argument('[to]', 'number of another', versionNumber)
    .option('--file <file>', 'a policy that is no version yet')
    .description('what differs between two versions')
    .addHelpText('after', '\nExample:\n  corridor policy diff limits 3 --file new-rules.json')
    .action((kind: string, from: number, to: number | undefined, { file, json }: { file?: string; json?: boolean }) =>
      withPolicies(async ({ kinds, log }) => {
        const other = contentOf({ file, version: to });
        const changes = await comparePolicies(kinds, log, { kind, from, to: other });
        if (json) console.log(toJson(changes));
        else print(changes.length === 0 ? 'they say the same' : changes.join('\n'));
      }),
    );
  registerPropose(policy);
}

function registerPropose(policy: Command): void {
  proposeCommand(policy)
    .option('--by <person>', 'who asks', userInfo().username)
    .action((kind: string, { file, version, from, reason, by }: ProposeOptions) =>
      withPolicies(async ({ connections, kinds, log }) => {
        const { store } = await openApprovals(connections);
        const asked = contentOf({ file, version });
        const now = Date.now();
        const [standing] = await listPolicies(kinds, log, { now, kind });
        const content =
          typeof asked === 'number'
            ? (await showPolicy(kinds, log, { kind, version: asked, now })).content
            : asked.content;
        const approval = await askToActivatePolicy(
          { log, kinds, approvals: store },
          {
            ...{ id: randomUUID(), kind, content, fromVersion: standing!.last, validFrom: from?.getTime() ?? null },
            ...{ by: personWithKeys(by), reason, at: new Date(now) },
          },
          ringOf(connections.config.keys, 'operators'),
        );
        printAsked({ ...approval, approvalId: approval._id, expiresAt: approval.expiresAt.toISOString() });
      }),
    );
}
