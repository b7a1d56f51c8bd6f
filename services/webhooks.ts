// What those who send webhooks share with the API: keys, and where endpoints may be.
import { systemReach } from '../adapters/http/webhook-post.ts';
import type { KeyRing } from '../domain/seals/seal.ts';
import { networks } from '../domain/webhooks/addresses.ts';
import type { WebhookReach } from '../operations/webhooks/ports.ts';
import { CodedError } from '../ports/fault.ts';
import type { Config } from '../runtime/config/config.ts';

/** @throws CodedError CONFIG_INVALID (fatal) when there are none */
export function webhookKeys({ webhooks }: Config): KeyRing {
  if (webhooks.keys) return webhooks.keys;
  throw new CodedError('CONFIG_INVALID', 'CORRIDOR_WEBHOOK_KEYS is not set: this process makes or sends webhooks', {
    faultClass: 'fatal',
  });
}

/** In clear, and to networks of our own, only where that is said: https alone in production. */
export const webhookReach = ({ webhooks, environment }: Config): WebhookReach =>
  systemReach({ takesHttp: environment !== 'production', allowed: networks(webhooks.privateNetworks ?? []) });
