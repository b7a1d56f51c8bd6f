// Every check there is. To add one, write it (check.ts says what it can hook into) and name it here.
import type { Check } from './check.ts';
import { attempts } from './checks/attempts.ts';
import { cases } from './checks/cases.ts';
import { holdClaims, intentClaims, settlementClaims } from './checks/claims.ts';
import { deadLetters } from './checks/dead-letters.ts';
import { decisions } from './checks/decisions.ts';
import { eventLog } from './checks/event-log.ts';
import { grains } from './checks/grains.ts';
import { holds } from './checks/holds.ts';
import { identity } from './checks/identity.ts';
import { inputs } from './checks/inputs.ts';
import { laws } from './checks/laws.ts';
import { lifecycle } from './checks/lifecycle.ts';
import { limits, limitsHeld } from './checks/limits.ts';
import { money } from './checks/money.ts';
import { orphans } from './checks/orphans.ts';
import { path } from './checks/path.ts';
import { payouts } from './checks/payouts.ts';
import { positionChecks } from './checks/positions.ts';
import { progress } from './checks/progress.ts';
import { provider } from './checks/provider.ts';
import { quotes } from './checks/quotes.ts';
import { rateHistory } from './checks/rate-history.ts';
import { replayChecks } from './checks/replays.ts';
import { decisionSeals, payoutSeals } from './checks/seals.ts';
import { skips } from './checks/skips.ts';
import { terms } from './checks/terms.ts';
import { transferView } from './checks/transfer-view.ts';
import { unchanged } from './checks/unchanged.ts';
import { webhooks } from './checks/webhooks.ts';

/** The checks of one run, in the order of the report; some keep state, so each run has its own. */
export const checks = (): readonly Check[] => [
  inputs,
  identity,
  path,
  unchanged,
  progress,
  money,
  terms(),
  laws(),
  quotes(),
  provider,
  lifecycle,
  ...positionChecks(),
  deadLetters(),
  ...replayChecks(),
  skips(),
  limitsHeld,
  limits,
  eventLog,
  transferView,
  cases,
  payouts,
  attempts,
  intentClaims,
  settlementClaims,
  holdClaims,
  holds,
  payoutSeals,
  decisionSeals,
  decisions(),
  orphans(),
  webhooks(),
  grains(),
  rateHistory(),
];
