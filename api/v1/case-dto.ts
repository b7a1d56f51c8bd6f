// Cases as they are told: names, facts and identifiers are those that the roles of who asks may see.
import { z } from 'zod';
import { maskedName, type Sight } from '../../operations/access/masking.ts';
import type { Assignment } from '../../operations/cases/assignments/decide.ts';
import { evidenceOfHold, type Hit, type Look } from '../../operations/cases/holds/evidence.ts';
import { REASONS_OF } from '../../operations/cases/inbox/decision-reasons.ts';
import type { FoundCase } from '../../operations/cases/inbox/find.ts';
import { CASE_KINDS, INBOX_STAGES, type InboxRow } from '../../operations/cases/inbox/row.ts';
import { VERDICTS, type Verdict } from '../../operations/cases/inbox/verdict.ts';
import type { CaseNote } from '../../operations/cases/notes/notes.ts';
import type { TransferHeld } from '../../schemas/types.generated.ts';
import { instant, instantOf, moneyDto, moneyOf } from './dto.ts';

export const VERDICT_NAMES = [
  ...(['APPROVE', 'REJECT', 'CLOSE', 'PAID', 'UNPAID', 'CLEAR', 'CONFIRM'] as const),
] as const satisfies readonly Verdict[];

/** The document in which the provider states an outcome. */
export const statedDocumentDto = z
  .strictObject({
    reference: z.string().min(1).max(64).describe('Of the line of the statement of account, or of the letter.'),
    date: z.iso.date().describe('Of the document.'),
    documentSha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .describe('SHA-256 of the document, which you keep.'),
  })
  .meta({ id: 'StatedDocument' });

export const assignmentDto = z.object({ by: z.string(), until: instant }).meta({ id: 'Assignment' });

export const caseNoteDto = z
  .object({ noteId: z.string(), by: z.string(), at: instant, text: z.string() })
  .meta({ id: 'CaseNote' });

export const noteOf = ({ id, by, at, text }: CaseNote): z.output<typeof caseNoteDto> => ({
  ...{ noteId: id, by, at: instantOf(at), text },
});

const agreedBy = z.string().nullable().describe('Who let it through, where two persons had to agree.');
const names = z
  .object({ sender: z.string(), beneficiary: z.string() })
  .nullable()
  .describe('As far as your roles may see them; null: not known here.');

export const caseRowDto = z
  .object({
    caseId: z.string(),
    kind: z.enum(CASE_KINDS),
    transferId: z.string(),
    stage: z.enum(INBOX_STAGES),
    reasonCodes: z.array(z.string()),
    amount: moneyDto.nullable(),
    corridor: z.string().nullable(),
    names,
    openedAt: instant,
    dueAt: instant.describe('When somebody should have dealt with it.'),
    expiresAt: instant.nullable().describe('When it ends by itself.'),
    assigned: assignmentDto.nullable(),
    flaw: z
      .string()
      .nullable()
      .describe('Why it is not what a program of ours wrote: nothing else in it proves anything.'),
  })
  .meta({ id: 'CaseRow' });

export const rowOf = (row: InboxRow): z.output<typeof caseRowDto> => ({
  ...{ caseId: row.id, kind: row.kind, transferId: row.transferId, stage: row.stage, flaw: row.flaw },
  ...{ reasonCodes: [...row.reasonCodes], corridor: row.corridor, names: row.names && { ...row.names } },
  amount: row.amount && moneyOf(row.amount.minor, row.amount.currency),
  ...{ openedAt: instantOf(row.openedAt), dueAt: instantOf(row.dueAt) },
  expiresAt: row.expiresAt === null ? null : instantOf(row.expiresAt),
  assigned: row.assigned && { by: row.assigned.by, until: instantOf(row.assigned.until) },
});

const factDto = z.object({
  fact: z.string(),
  party: z.string(),
  listed: z.string(),
  verdict: z.enum(['AGREES', 'SIMILAR', 'DIFFERS', 'UNKNOWN']),
});

const hitDto = z
  .object({
    who: z.string().describe('Which party.'),
    entity: z.string().describe('SOURCE:ID.'),
    entityType: z.string(),
    listedName: z.string(),
    aliasQuality: z.string(),
    score: z.number(),
    threshold: z.number(),
    isIdentified: z.boolean().describe('An identifier is the same.'),
    facts: z.array(factDto).describe('Party beside list entry, with the verdict of the engine.'),
    list: z.object({ versionId: z.string(), publishedOn: z.string(), ageDays: z.int().nullable() }).nullable(),
    decidedBefore: z
      .object({ decision: z.string(), by: z.string(), justification: z.string() })
      .nullable()
      .describe('What a person said in the face of this hit before.'),
  })
  .meta({ id: 'CaseHit' });

const lookDto = z
  .object({
    why: z.string().describe('SCREENED, or why it was looked at again.'),
    at: instant,
    outcome: z.string(),
    hits: z.array(hitDto),
    unscreenable: z.array(z.object({ who: z.string(), code: z.string() })),
  })
  .meta({ id: 'CaseLook' });

export const caseDto = z
  .object({
    caseId: z.string(),
    kind: z.enum(CASE_KINDS),
    transferId: z.string(),
    isOpen: z.boolean(),
    personalData: z.enum(['hidden', 'masked', 'full']).describe('What your roles see of it.'),
    verdicts: z
      .array(z.object({ verdict: z.enum(VERDICT_NAMES), reasons: z.array(z.string()) }))
      .describe('What may be said, and the codes that each may have. None is preselected.'),
    assigned: assignmentDto.nullable(),
    notes: z.array(caseNoteDto).describe('What people wrote about it: the latest two hundred, the oldest first.'),
    hold: z
      .object({
        stage: z.string(),
        state: z.string(),
        isProven: z.boolean(),
        reasons: z.array(z.object({ code: z.string(), detail: z.string().nullable() })),
        openedAt: instant,
        expiresAt: instant,
        amount: moneyDto,
        debit: moneyDto.nullable(),
        credit: moneyDto.nullable(),
        names,
        looks: z.array(lookDto).describe('The newest first.'),
        decision: z
          .object({ verdict: z.string(), by: z.string(), agreedBy, at: instant, reason: z.string() })
          .nullable(),
        alike: z
          .object({ seen: z.string(), caseIds: z.array(z.string()) })
          .nullable()
          .describe('Open holds that say the same of the same parties: one act may decide them all (`alikeSeen`).'),
      })
      .nullable(),
    payout: z
      .object({
        code: z.string(),
        detail: z.string(),
        openedAt: instant,
        closedAt: instant.nullable(),
        closedBy: z.string().nullable(),
        agreedBy,
        statement: z
          .object({ outcome: z.enum(['PAID', 'UNPAID']), ...statedDocumentDto.shape })
          .nullable()
          .describe('What the provider has stated in writing, by which the payout was settled.'),
        phase: z.string(),
        provider: z.string(),
        attempts: z.array(
          z.object({ key: z.string(), startedAt: instant, expiresAt: instant, end: z.string().nullable() }),
        ),
      })
      .nullable(),
    customer: z
      .object({
        state: z.string(),
        flaw: z.string().nullable(),
        entity: z.string(),
        versionId: z.string(),
        listedName: z.string(),
        openedAt: instant,
        decision: z.object({ state: z.string(), by: z.string(), agreedBy, reason: z.string(), at: instant }).nullable(),
      })
      .nullable(),
  })
  .meta({ id: 'Case' });

type CaseDto = z.output<typeof caseDto>;

export interface CaseTerms {
  readonly sight: Sight;
  /** ms since 1970 */
  readonly now: number;
  readonly assignment: Assignment | undefined;
  readonly notes: readonly CaseNote[];
  readonly alike: { readonly seen: string; readonly caseIds: readonly string[] } | undefined;
}

export function caseOf(found: FoundCase, { sight, now, assignment, notes, alike }: CaseTerms): CaseDto {
  const { id: caseId, kind, transferId, isOpen } = found;
  return {
    ...{ caseId, kind, transferId, isOpen, personalData: sight },
    verdicts: isOpen ? VERDICTS[kind].map((verdict) => ({ verdict, reasons: [...REASONS_OF[verdict]] })) : [],
    assigned: assignment ? { by: assignment.by, until: instantOf(assignment.until) } : null,
    notes: notes.map(noteOf),
    hold: found.kind === 'HOLD' ? holdOf(found, sight, now, alike) : null,
    payout: found.kind === 'PAYOUT' ? payoutOf(found) : null,
    customer: found.kind === 'CUSTOMER' ? customerOf(found, sight) : null,
  };
}

function holdOf(
  { hold, proven }: Extract<FoundCase, { kind: 'HOLD' }>,
  sight: Sight,
  now: number,
  alike: CaseTerms['alike'],
): CaseDto['hold'] {
  const { stage, state, reasons, openedAt, expiresAt, held, decision } = hold;
  const { instruction, price } = held;
  const money = ({ minor, currency }: { minor: bigint; currency: string }) => moneyOf(minor, currency);
  return {
    ...{ stage, state, isProven: proven, names: namesOf(held, sight) },
    // What a stage writes there may quote a list entry, which is nearly the party's own name.
    reasons: reasons.map(({ code, detail }) => ({ code, detail: sight === 'full' ? detail : null })),
    ...{ openedAt: instantOf(openedAt), expiresAt: instantOf(expiresAt), amount: money(instruction.instructedAmount) },
    ...{ debit: price ? money(price.debit) : null, credit: price ? money(price.credit) : null },
    looks: evidenceOfHold(held, now).looks.map((look) => lookOf(look, sight)),
    decision: decision && {
      ...{ verdict: decision.decision, by: decision.decidedBy, agreedBy: decision.agreedBy ?? null },
      ...{ at: instantOf(decision.decidedAt), reason: decision.justification },
    },
    alike: alike ? { seen: alike.seen, caseIds: [...alike.caseIds] } : null,
  };
}

function namesOf({ parties }: TransferHeld, sight: Sight): z.output<typeof names> {
  if (!('corridor.Parties' in parties)) return null;
  const { debtor, creditor } = parties['corridor.Parties'];
  return { sender: maskedName(debtor.name, sight), beneficiary: maskedName(creditor.name, sight) };
}

const lookOf = ({ why, at, outcome, hits, unscreenable }: Look, sight: Sight): z.output<typeof lookDto> => ({
  ...{ why, at: instantOf(at), outcome, unscreenable: unscreenable.map((each) => ({ ...each })) },
  hits: hits.map((hit) => hitOf(hit, sight)),
});

const HIDDEN = '•••';

/** The name that a list has is nearly the party's own, and so is a date of birth that agrees. */
function hitOf(hit: Hit, sight: Sight): z.output<typeof hitDto> {
  const { who, entity, entityType, aliasQuality, score, threshold, isIdentified, list, decided } = hit;
  const shown = (fact: string, text: string) => {
    if (sight === 'full' || text === '') return text;
    return fact === 'name' ? maskedName(text, sight) : HIDDEN;
  };
  return {
    ...{ who, entity, entityType, aliasQuality, score, threshold, isIdentified },
    listedName: maskedName(hit.listedName, sight),
    facts: hit.facts.map(({ fact, party, listed, verdict }) => ({
      ...{ fact, party: shown(fact, party), listed: shown(fact, listed), verdict },
    })),
    list: list && { versionId: list.versionId, publishedOn: list.publishedOn, ageDays: list.days },
    decidedBefore: decided && {
      ...{ decision: decided.decision, by: decided.decidedBy, justification: decided.justification },
    },
  };
}

function payoutOf({ payout, one }: Extract<FoundCase, { kind: 'PAYOUT' }>): CaseDto['payout'] {
  const { code, detail, openedAt, closedAt, closing } = one;
  return {
    ...{ code, detail, openedAt: instantOf(openedAt), closedAt: closedAt === null ? null : instantOf(closedAt) },
    ...{ closedBy: closing?.by ?? null, agreedBy: closing?.agreedBy ?? null, statement: closing?.statement ?? null },
    ...{ phase: payout.phase, provider: payout.provider },
    attempts: payout.attempts.map(({ key, startedAt, expiresAt, end }) => ({
      ...{ key, startedAt: instantOf(startedAt), expiresAt: instantOf(expiresAt), end: end?.how ?? null },
    })),
  };
}

function customerOf({ found, flaw }: Extract<FoundCase, { kind: 'CUSTOMER' }>, sight: Sight): CaseDto['customer'] {
  const { state, source, entityId, versionId, candidate, openedAt, decision } = found;
  return {
    ...{ state, flaw: flaw ?? null, entity: `${source}:${entityId}`, versionId, openedAt: instantOf(openedAt) },
    listedName: maskedName(candidate?.matchedName ?? '', sight),
    decision: decision && {
      ...{ state: decision.state, by: decision.by, agreedBy: decision.agreedBy ?? null },
      ...{ reason: decision.reason, at: instantOf(decision.at) },
    },
  };
}

/** Whoever names it has seen this evidence, of a case that was open or was not. */
export const caseEtag = ({ isOpen, seen }: Pick<FoundCase, 'isOpen' | 'seen'>): string =>
  `"${isOpen ? 'open' : 'closed'}.${seen}"`;
