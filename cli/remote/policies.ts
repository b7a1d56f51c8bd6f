// `corridor policy …` over the API.
import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import type { ApiClient } from '../../adapters/http/api-client.ts';
import { approvalDto } from '../../api/v1/approval-dto.ts';
import { policiesDto, wholePolicyDto } from '../../api/v1/routes/policies.ts';
import { CodedError } from '../../ports/fault.ts';
import { withJson } from '../output.ts';
import { contentOf, printAsked, printPolicies, printVersion, proposeCommand, versionNumber } from '../policies.ts';
import { onlyDirect } from './asking.ts';

interface ProposeOptions {
  readonly file?: string;
  readonly version?: number;
  readonly from?: Date;
  readonly reason: string;
}

export function registerRemotePolicies(program: Command, api: () => ApiClient): void {
  const policy = program.command('policy').description('law as data: versions of limit rules and of terms');
  const all = async () => policiesDto.parse((await api().ask('GET', '/policies')).body).items;
  const one = async (kind: string, version: number) =>
    wholePolicyDto.parse((await api().ask('GET', `/policies/${encodeURIComponent(kind)}/versions/${version}`)).body);

  withJson(policy.command('list'))
    .argument('[kind]', 'limits or terms; without one, all')
    .description('which versions there are, and which is in force')
    .action(async (kind: string | undefined, { json }: { json?: boolean }) => {
      const items = await all();
      printPolicies(kind === undefined ? items : [ofKind(items, kind)], json === true);
    });

  withJson(policy.command('show'))
    .argument('<kind>', 'limits or terms')
    .argument('<version>', 'its number', versionNumber)
    .description('what a version says, and what it changed')
    .action(async (kind: string, version: number, { json }: { json?: boolean }) =>
      printVersion(await one(kind, version), json === true),
    );

  proposeCommand(policy).action(async (kind: string, { file, version, from, reason }: ProposeOptions) => {
    const asked = contentOf({ file, version });
    const { last: fromVersion } = ofKind(await all(), kind);
    const content = typeof asked === 'number' ? (await one(kind, asked)).content : asked.content;
    const validFrom = from?.toISOString() ?? null;
    const request = { body: { content, fromVersion, validFrom, reason }, key: randomUUID() };
    const path = `/policies/${encodeURIComponent(kind)}/versions`;
    printAsked(approvalDto.parse((await api().ask('POST', path, request)).body));
  });
  onlyDirect(policy, ['diff']);
}

function ofKind<T extends { readonly kind: string }>(items: readonly T[], kind: string): T {
  const found = items.find((each) => each.kind === kind);
  if (found) return found;
  throw new CodedError(
    'OPTION_INVALID',
    `there is no policy of that kind; there are: ${items.map((each) => each.kind)}`,
  );
}
