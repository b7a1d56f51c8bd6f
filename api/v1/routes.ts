// Every route of version 1. What stands here is served, documented, and asked by the tests of every route.
import type { Route } from '../http/route.ts';
import { approvalRoutes } from './routes/approvals.ts';
import { batchRoutes } from './routes/batches.ts';
import { caseRoutes } from './routes/cases.ts';
import { controlRoutes } from './routes/controls.ts';
import { corridorRoutes } from './routes/corridors.ts';
import { deadLetterRoutes } from './routes/dead-letters.ts';
import { letterNoteRoutes } from './routes/letter-notes.ts';
import { overviewRoutes } from './routes/overview.ts';
import { replayActRoutes } from './routes/replay-acts.ts';
import { replayRoutes } from './routes/replays.ts';
import { submissionRoutes } from './routes/submissions.ts';
import { transferRoutes } from './routes/transfers.ts';

export const ROUTES: readonly Route[] = [
  ...corridorRoutes,
  ...submissionRoutes,
  ...batchRoutes,
  ...transferRoutes,
  ...deadLetterRoutes,
  ...letterNoteRoutes,
  ...replayRoutes,
  ...replayActRoutes,
  ...approvalRoutes,
  ...caseRoutes,
  ...overviewRoutes,
  ...controlRoutes,
];
