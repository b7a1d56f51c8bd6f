// Failpoints of the sender of webhooks. No run of the crash harness has to reach them; it passes all but one, since none of its
// endpoints is gone.

export const WEBHOOK_FAILPOINTS = [
  /** Deliveries are claimed; nothing is sent. */
  'webhooks.after-claim',
  /** The endpoint has answered; nobody has written it down. */
  'webhooks.after-post',
  /** An endpoint that answered 410 is disabled; what came of the delivery is not written down. */
  'webhooks.after-disable',
  /** It is written down. */
  'webhooks.after-mark',
] as const;

export type WebhookFailpoint = (typeof WEBHOOK_FAILPOINTS)[number];
