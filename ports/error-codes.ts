// The closed catalogue of error codes: each once, with its class, what it concerns, what an API answers, and what to do.
// A code that is not here does not compile. A code's name is a contract: dashboards, runbooks and callers match on it.
// docs/errors.md is generated from here. Reason codes of ISO 20022 are business outcomes and stand in domain/reasons.ts.
import { apiCodes } from './error-codes/api.ts';
import { auditCodes } from './error-codes/audit.ts';
import { callerCodes, exportCodes, verifyCodes } from './error-codes/callers.ts';
import { controlCodes } from './error-codes/controls.ts';
import { domainCodes } from './error-codes/domain.ts';
import type { CatalogueEntry, FaultClass } from './error-codes/entry.ts';
import { localStackCodes } from './error-codes/local-stack.ts';
import { logCodes } from './error-codes/log.ts';
import { operationCodes } from './error-codes/operations.ts';
import { payoutCodes } from './error-codes/payouts.ts';
import { processCodes } from './error-codes/process.ts';
import { recordCodes, schemaCodes, stageCodes } from './error-codes/records.ts';
import { screeningCodes } from './error-codes/screening.ts';
import { storeCodes } from './error-codes/stores.ts';
import { webhookCodes } from './error-codes/webhooks.ts';

export type { CatalogueEntry, CodeClass, Concern, FaultClass, HttpStatus } from './error-codes/entry.ts';

const catalogue = {
  ...callerCodes,
  ...apiCodes,
  ...operationCodes,
  ...auditCodes,
  ...controlCodes,
  ...domainCodes,
  ...processCodes,
  ...logCodes,
  ...schemaCodes,
  ...recordCodes,
  ...stageCodes,
  ...storeCodes,
  ...screeningCodes,
  ...payoutCodes,
  ...webhookCodes,
  ...exportCodes,
  ...verifyCodes,
  ...localStackCodes,
};

/** Every code there is. */
export type ErrorCode = keyof typeof catalogue;
/** Codes of the local stack. */
export type LocalStackCode = keyof typeof localStackCodes;
/** The classes of faults that an error with this code may have. */
export type ClassOf<Code extends ErrorCode> = Extract<(typeof catalogue)[Code]['classes'][number], FaultClass>;

/** The entry of each code. */
export const errorCodes: Readonly<Record<ErrorCode, CatalogueEntry>> = catalogue;

/** The codes by subject, as docs/errors.md shows them. */
export const codesBySubject: Readonly<Record<string, Readonly<Record<string, CatalogueEntry>>>> = {
  'What a caller asked for': callerCodes,
  'The API': apiCodes,
  'Approvals and replays': operationCodes,
  'The audit log': auditCodes,
  'Pauses and broken glass': controlCodes,
  'The domain': domainCodes,
  'Processes and configuration': processCodes,
  'The log': logCodes,
  'Schemas and bytes': schemaCodes,
  'Records and where they stand': recordCodes,
  'Decisions of the stages': stageCodes,
  'MongoDB and Redis': storeCodes,
  'Screening, lists and customers': screeningCodes,
  'Payouts and the provider': payoutCodes,
  Webhooks: webhookCodes,
  'Exports for analysts': exportCodes,
  'Checkpoints of verify': verifyCodes,
  'The local stack': localStackCodes,
};

/**
 * A code that an HTTP client, the system (ECONNREFUSED) or a status line gave: of a bounded form, never a text of somebody
 * else. Operators look it up as HTTP_ERROR, or at the end of a process as UNEXPECTED_ERROR.
 */
export type ForeignCode = `HTTP_${number}` | (string & { readonly lookedUpAs: 'HTTP_ERROR' | 'UNEXPECTED_ERROR' });

/** A code as health, logs and metrics show it. */
export type ShownCode = ErrorCode | ForeignCode;

/** The code that something thrown bears, when it has the form of one. Never throws. */
export function foreignCodeOf(thrown: unknown): ShownCode | undefined {
  try {
    const code = (thrown as { readonly code?: unknown } | null | undefined)?.code;
    return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,40}$/.test(code) ? (code as ForeignCode) : undefined;
  } catch {
    return undefined;
  }
}
