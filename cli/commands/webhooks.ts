// `corridor webhooks` where no API is named: there is no other way to them, since a secret is shown to whoever asks for it.
import type { Command } from 'commander';
import { CodedError } from '../../ports/fault.ts';
import { registerRemoteWebhooks } from '../remote/webhooks.ts';

/** The commands; without an API each says that it needs one. */
export function registerWebhooks(program: Command): void {
  registerRemoteWebhooks(program, () => {
    throw new CodedError('OPTION_MISSING', 'name the API: --api URL, or CORRIDOR_API_URL');
  });
}
