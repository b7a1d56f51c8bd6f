// Every command of the product, each loaded when it is asked for: a service has nothing of the development stack in its process.
import type { Command } from 'commander';

export type Register = (program: Command) => void;

const upDown = async () => (await import('./dev/up-down.ts')).registerUpDown;
const login = async () => (await import('./commands/login.ts')).registerLogin;
export const COMMANDS: Readonly<Record<string, () => Promise<Register>>> = {
  up: upDown,
  down: upDown,
  run: async () => (await import('./commands/run.ts')).registerRun,
  api: async () => (await import('./commands/api.ts')).registerApi,
  token: async () => (await import('./commands/token.ts')).registerToken,
  login,
  logout: login,
  whoami: login,
  'local-issuer': async () => (await import('./dev/local-issuer.ts')).registerLocalIssuer,
  feed: async () => (await import('./dev/feed.ts')).registerFeed,
  produce: async () => (await import('./commands/produce.ts')).registerProduce,
  status: async () => (await import('./commands/status.ts')).registerStatus,
  stuck: async () => (await import('./commands/stuck.ts')).registerStuck,
  transfers: async () => (await import('./commands/transfers.ts')).registerTransfers,
  transfer: async () => (await import('./commands/transfer.ts')).registerTransfer,
  cases: async () => (await import('./commands/cases.ts')).registerCases,
  approvals: async () => (await import('./commands/approvals.ts')).registerApprovals,
  control: async () => (await import('./commands/control.ts')).registerControl,
  'break-glass': async () => (await import('./commands/break-glass.ts')).registerBreakGlass,
  limits: async () => (await import('./commands/limits.ts')).registerLimits,
  policy: async () => (await import('./commands/policies.ts')).registerPolicies,
  rates: async () => (await import('./commands/rates.ts')).registerRates,
  quotes: async () => (await import('./commands/quotes.ts')).registerQuotes,
  fx: async () => (await import('./commands/fx.ts')).registerFx,
  dlq: async () => (await import('./commands/dead-letters.ts')).registerDeadLetters,
  payouts: async () => (await import('./commands/payout-cases.ts')).registerPayoutCases,
  lists: async () => (await import('./commands/lists.ts')).registerLists,
  screen: async () => (await import('./commands/screen.ts')).registerScreen,
  explain: async () => (await import('./commands/explain.ts')).registerExplain,
  exceptions: async () => (await import('./commands/exceptions.ts')).registerExceptions,
  customers: async () => (await import('./commands/customers.ts')).registerCustomers,
  topics: async () => (await import('./commands/topics.ts')).registerTopics,
  schemas: async () => (await import('./commands/schemas.ts')).registerSchemas,
  config: async () => (await import('./commands/config.ts')).registerConfig,
  migrate: async () => (await import('./commands/migrate.ts')).registerMigrate,
  audit: async () => (await import('./commands/audit.ts')).registerAudit,
  webhooks: async () => (await import('./commands/webhooks.ts')).registerWebhooks,
  backtest: async () => (await import('./commands/backtest.ts')).registerBacktest,
  analytics: async () => (await import('./commands/analytics.ts')).registerAnalytics,
  verify: async () => (await import('./commands/verify.ts')).registerVerify,
};
