// Pushes the current schemas: the compatibility level first, then one registration after another from one process,
// since two first registrations at once may collide.
import { safeText } from '../../domain/text/text.ts';
import { CodedError } from '../../ports/fault.ts';
import { selfContained } from '../../schemas/load.ts';
import { contracts } from '../../topics/catalogue.ts';
import { type Answer, type Call, fieldsOf, MISSING, registryCaller, saysMissing, uselessAnswer } from './call.ts';
import type { RegistryOptions } from './options.ts';
import { subjectOf } from './registered-schemas.ts';

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
  const call = registryCaller(options, options.timeoutMs);
  await setLevel(call, '/config');
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
  const before = idIn(registered);
  if (before !== undefined) return { subject, id: before, state: 'unchanged' };
  if (!saysMissing(registered, MISSING.subject, MISSING.schema)) throw notPushed(subject, registered);
  await setLevel(call, `/config/${encodeURIComponent(subject)}`);
  const created = await call('POST', `${path}/versions`, body);
  const id = idIn(created);
  if (id !== undefined) return { subject, id, state: 'registered' };
  throw notPushed(subject, created);
}

/** Without it an incompatible schema could come in. */
async function setLevel(call: Call, path: string): Promise<void> {
  const answer = await call('PUT', path, { compatibility: LEVEL });
  if (answer.status !== 200 || !('compatibility' in fieldsOf(answer))) throw uselessAnswer(`PUT ${path}`, answer);
}

function idIn(answer: Answer): number | undefined {
  const { id } = fieldsOf(answer);
  return answer.status === 200 && typeof id === 'number' ? id : undefined;
}

/** What the registry says of the schema is told; anything else was not the registry's. */
function notPushed(subject: string, answer: Answer): CodedError {
  const { error_code: code, message } = fieldsOf(answer);
  if (typeof code !== 'number' || answer.status < 400 || answer.status === 404) {
    return uselessAnswer(`registering ${subject}`, answer);
  }
  const reason = typeof message === 'string' ? safeText(message) : `status ${answer.status}, code ${code}`;
  return new CodedError('SCHEMA_INCOMPATIBLE', `${subject} was refused by the registry: ${reason}`, {
    faultClass: 'fatal',
    dependency: 'registry',
  });
}
