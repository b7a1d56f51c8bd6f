// `corridor cases show`: one case whole, by the id of any kind.
import type { Command } from 'commander';
import { evidenceOfHold } from '../../operations/cases/holds/evidence.ts';
import { findAlike } from '../../operations/cases/inbox/decide-alike.ts';
import { type FoundCase, findCase } from '../../operations/cases/inbox/find.ts';
import { shownPayout } from '../../operations/cases/payouts/cases.ts';
import { openInbox } from '../../services/inbox.ts';
import { alikeLines } from '../cases/rows.ts';
import { caseLines, howToDecide } from '../cases/shown.ts';
import { withConnections } from '../connections.ts';
import { print, toJson, withJson } from '../output.ts';

export function registerCaseShow(cases: Command): void {
  withJson(cases.command('show'))
    .argument('<case>', 'id of the case, of any kind')
    .description('everything that a case is about: who, how much, why, and the evidence side by side')
    .addHelpText(
      'after',
      `
The output holds personal data. With --json, \`seen\` is what a program names in a decision (--evidence).

Examples:
  corridor cases show 0d5c…
  corridor cases show 5f1c…/1`,
    )
    .action((id: string, { json }: { json?: boolean }) =>
      withConnections(async (connections) => {
        const { sources, deciding, assignments } = await openInbox(connections);
        const found = await findCase(sources, id);
        const now = Date.now();
        const assignment = await assignments.find(found.id, now);
        const isOpenHold = found.kind === 'HOLD' && found.isOpen;
        const alike = isOpenHold
          ? await findAlike({ holds: { ...sources.holds, ...deciding.holds } }, found.id)
          : undefined;
        if (json) {
          const others = alike && { seen: alike.seen, cases: alike.cases.map(({ _id }) => _id) };
          print(toJson({ ...jsonOf(found, now), assignment: assignment ?? null, alike: others ?? null }));
          return;
        }
        const others = alike && alike.cases.length > 1 ? ['', ...alikeLines(alike.cases)] : [];
        for (const line of [...caseLines(found, { now, assignment }), ...others, ...howToDecide(found)]) print(line);
      }),
    );
}

function jsonOf(found: FoundCase, now: number) {
  if (found.kind === 'HOLD') return { ...found, evidence: evidenceOfHold(found.hold.held, now) };
  if (found.kind === 'PAYOUT') return { ...found, payout: shownPayout(found.payout) };
  return found;
}
