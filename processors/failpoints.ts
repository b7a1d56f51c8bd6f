// Names of the failpoints inside the stages and their claims, for `declareFailpoints`.
export const STAGE_FAILPOINTS = [
  'intake.before-claim',
  'intake.after-claim',
  'screening.after-hold-claim',
  'limits.after-ledger',
  'limits.after-hold-claim',
  'settlement.after-claim',
  'intent-claims.after-insert',
  'hold-claims.after-insert',
  'settlement-claims.after-insert',
  'settlement-claims.after-replace',
] as const;
