// Codes of webhooks to producers: what is refused of an endpoint, and what became of a delivery.
import { entry } from './entry.ts';

export const webhookCodes = {
  WEBHOOK_ENDPOINT_UNKNOWN: entry(
    'invalid-request',
    'the caller',
    404,
    'See `GET /v1/webhook-endpoints` for those that there are.',
  ),
  WEBHOOK_DELIVERY_UNKNOWN: entry(
    'invalid-request',
    'the caller',
    404,
    'See the list of deliveries of the endpoint: they are kept for 30 days.',
  ),
  WEBHOOK_URL_REFUSED: entry(
    'invalid-request',
    'the caller',
    422,
    'Name an https:// URL whose host has public addresses only, without a password and without a fragment.',
  ),
  WEBHOOK_ENDPOINTS_TOO_MANY: entry(
    'invalid-request',
    'the caller',
    409,
    'Delete an endpoint that is not used, or let one take more kinds of events.',
  ),
  WEBHOOK_ENDPOINT_DISABLED: entry(
    'invalid-request',
    'the caller',
    409,
    'Enable the endpoint first. As the reason of a failed delivery: enable it, and have what it missed sent again.',
  ),
  WEBHOOK_ENDPOINT_FORGED: entry(
    'invalid-request',
    'a stored document',
    409,
    'Delete the endpoint and register it again. If no key of CORRIDOR_WEBHOOK_KEYS was removed, somebody changed it in the database.',
  ),
  WEBHOOK_DELIVERY_FORGED: entry(
    'poison',
    'a stored document',
    500,
    'It was not sent. If no key of CORRIDOR_WEBHOOK_KEYS was removed, somebody changed it in the database: find out who.',
  ),
  WEBHOOKS_OFF: entry(
    'invalid-request',
    'configuration',
    409,
    'Have CORRIDOR_WEBHOOK_KEYS set for the API and for those who send webhooks.',
  ),
  WEBHOOK_ADDRESS_REFUSED: entry(
    'notice',
    'a dependency',
    502,
    'Let the name of the endpoint resolve to public addresses only. Networks of your own are named in CORRIDOR_WEBHOOK_PRIVATE_NETWORKS.',
  ),
  WEBHOOK_REDIRECTED: entry(
    'notice',
    'a dependency',
    502,
    'Register the URL that the endpoint leads to: redirects are not followed.',
  ),
  WEBHOOK_GONE: entry(
    'notice',
    'a dependency',
    502,
    'The endpoint answered 410 and was disabled. Correct its URL, enable it, and have what it missed sent again.',
  ),
  WEBHOOK_GIVEN_UP: entry(
    'notice',
    'a dependency',
    504,
    'Nothing was taken for over a day. Mend the endpoint, and have what it missed sent again.',
  ),
} as const;
