// Pushes the current schemas: the compatibility level first, then one registration after another from one process,
// since two first registrations at once may collide.
import { CodedError } from '../../runtime/ports/fault.ts';
import { selfContained } from '../../schemas/load.ts';
import { contracts } from '../../topics/catalogue.ts';
import { type Call, registryCaller } from './call.ts';
import { type RegistryOptions, subjectOf } from './codec.ts';

const LEVEL = 'FULL_TRANSITIVE';

export interface Pushed {
  readonly subject: string;
  readonly id: number;
  readonly state: 'registered' | 'unchanged';
}

/**
 * Registers the schema of every topic under TopicNameStrategy with FULL_TRANSITIVE compatibility. Idempotent.
 * Errors: SCHEMA_INCOMPATIBLE names the subject and what the registry said; REGISTRY_UNAVAILABLE when it can't be asked.
 */
export async function pushSchemas(
  options: RegistryOptions,
  onPushed: (pushed: Pushed) => void = () => {},
): Promise<readonly Pushed[]> {
  const call = registryCaller(options);
  await call('PUT', '/config', { compatibility: LEVEL });
  const all: Pushed[] = [];
  for (const contract of Object.values(contracts)) {
    const subject = subjectOf(contract.name);
    const body = { schema: JSON.stringify(selfContained(`corridor.${contract.record}`)) };
    const pushed = await pushOne(call, subject, body);
    all.push(pushed);
    onPushed(pushed);
  }
  return all;
}

async function pushOne(call: Call, subject: string, body: { schema: string }): Promise<Pushed> {
  const path = `/subjects/${encodeURIComponent(subject)}`;
  const registered = await call('POST', path, body);
  if (registered.status === 200) return { subject, id: (registered.body as { id: number }).id, state: 'unchanged' };
  await call('PUT', `/config/${encodeURIComponent(subject)}`, { compatibility: LEVEL });
  const created = await call('POST', `${path}/versions`, body);
  if (created.status === 200) return { subject, id: (created.body as { id: number }).id, state: 'registered' };
  const message = (created.body as { message?: string }).message ?? `status ${created.status}`;
  throw new CodedError('SCHEMA_INCOMPATIBLE', `${subject} was refused by the registry: ${message}`, {
    faultClass: 'fatal',
    dependency: 'registry',
  });
}
