// Every route of version 1. What stands here is served, documented, and asked by the tests of every route.
import type { Route } from '../http/route.ts';
import { approvalRoutes } from './routes/approvals.ts';
import { auditRoutes } from './routes/audit.ts';
import { batchRoutes } from './routes/batches.ts';
import { breakGlassRoutes } from './routes/break-glass.ts';
import { caseNoteRoutes } from './routes/case-notes.ts';
import { caseRoutes } from './routes/cases.ts';
import { controlRoutes } from './routes/controls.ts';
import { corridorRoutes } from './routes/corridors.ts';
import { deadLetterRoutes } from './routes/dead-letters.ts';
import { exceptionRoutes } from './routes/exceptions.ts';
import { letterCheckRoutes } from './routes/letter-checks.ts';
import { letterDiscardRoutes } from './routes/letter-discards.ts';
import { letterEditRoutes } from './routes/letter-edits.ts';
import { letterNoteRoutes } from './routes/letter-notes.ts';
import { letterRecordRoutes } from './routes/letter-record.ts';
import { limitRoutes } from './routes/limits.ts';
import { listRoutes } from './routes/lists.ts';
import { overviewRoutes } from './routes/overview.ts';
import { payoutRoutes } from './routes/payouts.ts';
import { policyRoutes } from './routes/policies.ts';
import { positionRoutes } from './routes/positions.ts';
import { quoteRoutes } from './routes/quotes.ts';
import { rateRoutes } from './routes/rates.ts';
import { replayActRoutes } from './routes/replay-acts.ts';
import { replayRoutes } from './routes/replays.ts';
import { skipRoutes } from './routes/skips.ts';
import { standingRoutes } from './routes/standing.ts';
import { submissionRoutes } from './routes/submissions.ts';
import { transferRoutes } from './routes/transfers.ts';
import { webhookDeliveryRoutes } from './routes/webhook-deliveries.ts';
import { webhookEndpointRoutes } from './routes/webhook-endpoints.ts';

export const ROUTES: readonly Route[] = [
  ...corridorRoutes,
  ...submissionRoutes,
  ...batchRoutes,
  ...transferRoutes,
  ...quoteRoutes,
  ...webhookEndpointRoutes,
  ...webhookDeliveryRoutes,
  ...deadLetterRoutes,
  ...letterNoteRoutes,
  ...letterCheckRoutes,
  ...letterDiscardRoutes,
  ...letterEditRoutes,
  ...letterRecordRoutes,
  ...replayRoutes,
  ...replayActRoutes,
  ...approvalRoutes,
  ...caseRoutes,
  ...caseNoteRoutes,
  ...overviewRoutes,
  ...controlRoutes,
  ...rateRoutes,
  ...policyRoutes,
  ...positionRoutes,
  ...limitRoutes,
  ...standingRoutes,
  ...payoutRoutes,
  ...skipRoutes,
  ...breakGlassRoutes,
  ...listRoutes,
  ...exceptionRoutes,
  ...auditRoutes,
];
