// What in a new OpenAPI document would break a client of an older one. Pure. Answers may say more, requests may ask for less;
// the rest breaks somebody: an operation, a status, a field of an answer that is gone or may be absent now, a field or parameter
// of a request that is required now or not known any more, another type, a value that is not taken any more.

type Json = { readonly [key: string]: unknown };
type Direction = 'request' | 'answer';

interface Side {
  readonly document: Json;
  readonly schema: Json;
}

/** Every change that breaks, one sentence each. */
export function breakingChanges(before: Json, after: Json): readonly string[] {
  const operations = operationsOf(before);
  const now = operationsOf(after);
  return [...operations].flatMap(([name, old]) => {
    const operation = now.get(name);
    if (operation === undefined) return [`${name} is gone`];
    const changes = [
      ...parameterChanges(before, old, after, operation),
      ...bodyChanges(before, old, after, operation),
      ...answerChanges(before, old, after, operation),
    ];
    return changes.map((change) => `${name}: ${change}`);
  });
}

function operationsOf(document: Json): ReadonlyMap<string, Json> {
  const paths = record(document['paths']);
  return new Map(
    Object.entries(paths).flatMap(([path, item]) =>
      Object.entries(record(item)).map(([method, operation]) => [`${method.toUpperCase()} ${path}`, record(operation)]),
    ),
  );
}

function parameterChanges(before: Json, old: Json, after: Json, operation: Json): readonly string[] {
  const keyOf = (parameter: Json) => `${String(parameter['in'])} parameter ${String(parameter['name'])}`;
  const known = new Map(list(old['parameters']).map((each) => [keyOf(each), each]));
  const present = new Map(list(operation['parameters']).map((each) => [keyOf(each), each]));
  const gone = [...known.keys()].filter((key) => !present.has(key)).map((key) => `${key} is gone`);
  const others = [...present].flatMap(([key, parameter]) => {
    const was = known.get(key);
    if (was === undefined) return parameter['required'] === true ? [`${key} is new and required`] : [];
    const required = was['required'] !== true && parameter['required'] === true ? [`${key} is required now`] : [];
    return [...required, ...between(before, was, after, parameter, 'request', key)];
  });
  return [...gone, ...others];
}

function bodyChanges(before: Json, old: Json, after: Json, operation: Json): readonly string[] {
  const was = contentOf(old['requestBody']);
  const is = contentOf(operation['requestBody']);
  if (was.size === 0 && is.size > 0) return ['a body is asked for now'];
  return contentChanges(before, was, after, is, 'request', 'body');
}

function answerChanges(before: Json, old: Json, after: Json, operation: Json): readonly string[] {
  const now = record(operation['responses']);
  return Object.entries(record(old['responses'])).flatMap(([status, answer]) => {
    const is = now[status];
    if (is === undefined) return Number(status) < 400 ? [`answer ${status} is gone`] : [];
    return contentChanges(before, contentOf(answer), after, contentOf(is), 'answer', `answer ${status}`);
  });
}

function contentChanges(
  before: Json,
  was: ReadonlyMap<string, Json>,
  after: Json,
  is: ReadonlyMap<string, Json>,
  direction: Direction,
  where: string,
): readonly string[] {
  return [...was].flatMap(([type, content]) => {
    const now = is.get(type);
    if (now === undefined) return [`${where} is not ${type} any more`];
    return between(before, content, after, now, direction, where);
  });
}

const between = (before: Json, old: Json, after: Json, now: Json, direction: Direction, where: string) =>
  schemaChanges(
    { document: before, schema: record(old['schema']) },
    { document: after, schema: record(now['schema']) },
    direction,
    where,
  );

const MAX_DEPTH = 30;

function schemaChanges(old: Side, now: Side, direction: Direction, where: string, depth = 0): readonly string[] {
  const was = resolved(old);
  const is = resolved(now);
  if (depth > MAX_DEPTH) return [];
  const deeper = (a: unknown, b: unknown, at: string) =>
    schemaChanges({ ...old, schema: record(a) }, { ...now, schema: record(b) }, direction, at, depth + 1);
  const changes = [...typeChanges(was, is, direction, where), ...fieldChanges(was, is, direction, where)];
  const properties = record(is['properties']);
  for (const [name, schema] of Object.entries(record(was['properties']))) {
    if (properties[name] !== undefined) changes.push(...deeper(schema, properties[name], `${where}.${name}`));
  }
  if (was['items'] !== undefined && is['items'] !== undefined)
    changes.push(...deeper(was['items'], is['items'], `${where}[]`));
  const [alternatives, present] = [alternativesOf(was), alternativesOf(is)];
  for (const [place, each] of alternatives.entries()) {
    if (present[place] !== undefined) changes.push(...deeper(each, present[place], where));
    else if (direction === 'request') changes.push(`${where} takes one form less`);
  }
  if (direction === 'answer' && present.length > alternatives.length) changes.push(`${where} has one form more`);
  return changes;
}

function typeChanges(was: Json, is: Json, direction: Direction, where: string): string[] {
  const types = (schema: Json) => new Set([schema['type'] ?? []].flat());
  const [before, now] = [types(was), types(is)];
  const [wide, narrow] = direction === 'request' ? [now, before] : [before, now];
  if (wide.size > 0 && [...narrow].some((type) => !wide.has(type))) return [`${where} is of another type`];
  const values = (schema: Json) => (Array.isArray(schema['enum']) ? new Set<unknown>(schema['enum']) : undefined);
  const [old, present] = [values(was), values(is)];
  if (direction === 'answer' || present === undefined) return [];
  const lost = old === undefined ? ['values'] : [...old].filter((value) => !present.has(value));
  return lost.map((value) => `${where} does not take ${String(value)} any more`);
}

function fieldChanges(was: Json, is: Json, direction: Direction, where: string): string[] {
  const [before, now] = [record(was['properties']), record(is['properties'])];
  const [wasRequired, isRequired] = [names(was['required']), names(is['required'])];
  const gone = Object.keys(before).filter((name) => now[name] === undefined);
  const changes = gone.map((name) => `${where}.${name} is gone`);
  if (direction === 'request') {
    const demanded = [...isRequired].filter((name) => !wasRequired.has(name));
    return [...changes, ...demanded.map((name) => `${where}.${name} is required now`)];
  }
  const weaker = [...wasRequired].filter((name) => now[name] !== undefined && !isRequired.has(name));
  return [...changes, ...weaker.map((name) => `${where}.${name} may be absent now`)];
}

function resolved({ document, schema }: Side): Json {
  const reference = schema['$ref'];
  if (typeof reference !== 'string') return schema;
  return record(record(record(document['components'])['schemas'])[reference.split('/').at(-1)!]);
}

const alternativesOf = (schema: Json): readonly unknown[] =>
  [schema['anyOf'], schema['oneOf']].flatMap((each) => (Array.isArray(each) ? (each as unknown[]) : []));
const names = (value: unknown): ReadonlySet<string> => new Set(Array.isArray(value) ? (value as string[]) : []);
const list = (value: unknown): readonly Json[] => (Array.isArray(value) ? (value as Json[]) : []);
const record = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : {});
const contentOf = (holder: unknown): ReadonlyMap<string, Json> =>
  new Map(Object.entries(record(record(holder)['content'])).map(([type, content]) => [type, record(content)]));
