// `corridor cases show`: one case whole, by the id of any kind.
import type { Command } from 'commander';
import { evidenceOfHold } from '../../operations/cases/holds/evidence.ts';
import { findAlike } from '../../operations/cases/inbox/decide-alike.ts';
import { codeAndText } from '../../operations/cases/inbox/decision-reasons.ts';
import { type FoundCase, findCase } from '../../operations/cases/inbox/find.ts';
import { MAX_NOTES } from '../../operations/cases/notes/notes.ts';
import { shownPayout } from '../../operations/cases/payouts/cases.ts';
import { openInbox } from '../../services/inbox.ts';
import { alikeLines } from '../cases/rows.ts';
import { caseLines, howToDecide, noteLines } from '../cases/shown.ts';
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
        const { sources, deciding, assignments, notes } = await openInbox(connections);
        const found = await findCase(sources, id);
        const now = Date.now();
        const assignment = await assignments.find(found.id, now);
        const written = await notes.of(found.id, MAX_NOTES);
        const isOpenHold = found.kind === 'HOLD' && found.isOpen;
        const alike = isOpenHold
          ? await findAlike({ holds: { ...sources.holds, ...deciding.holds } }, found.id)
          : undefined;
        if (json) {
          const others = alike && { seen: alike.seen, cases: alike.cases.map(({ _id }) => _id) };
          print(
            toJson({ ...jsonOf(found, now), assignment: assignment ?? null, notes: written, alike: others ?? null }),
          );
          return;
        }
        const others = alike && alike.cases.length > 1 ? ['', ...alikeLines(alike.cases)] : [];
        const shown = [
          ...caseLines(found, { now, assignment }),
          ...noteLines(written),
          ...others,
          ...howToDecide(found),
        ];
        for (const line of shown) print(line);
      }),
    );
}

/** Who decided it, as what, when and why: the code and the text are fields of their own. Null: nobody yet. */
function decisionOf(found: FoundCase) {
  if (found.kind === 'HOLD') {
    const { decision: made } = found.hold;
    return (
      made && { verdict: made.decision, by: made.decidedBy, at: made.decidedAt, ...codeAndText(made.justification) }
    );
  }
  if (found.kind === 'CUSTOMER') {
    const { decision: made } = found.found;
    return made && { verdict: made.state, by: made.by, at: new Date(made.at), ...codeAndText(made.reason) };
  }
  const { closing, closedAt } = found.one;
  if (!closing || closedAt === null) return null;
  return { verdict: 'CLOSE', by: closing.by, at: new Date(closedAt), ...codeAndText(closing.reason) };
}

function jsonOf(found: FoundCase, now: number) {
  const common = { ...found, decision: decisionOf(found) };
  if (found.kind === 'HOLD') return { ...common, evidence: evidenceOfHold(found.hold.held, now) };
  if (found.kind === 'PAYOUT') return { ...common, payout: shownPayout(found.payout) };
  return common;
}
