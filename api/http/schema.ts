// The shape of a route as Fastify takes it: checked by zod at the door, and the source of the OpenAPI document.
import type { FastifySchema, FastifySchemaCompiler } from 'fastify';
import type { z } from 'zod';
import { JsonRefused } from '../../domain/text/strict-json.ts';
import { type ErrorCode, errorCodes } from '../../ports/error-codes.ts';
import { CodedError } from '../../ports/fault.ts';
import { type Flaw, invalidRequest, PROBLEM_TYPE, problemDto } from './problem.ts';
import { NOTHING, type Route } from './route.ts';

/** Codes with which every route may refuse. */
export const COMMON_REFUSALS = [
  'REQUEST_INVALID',
  'REQUEST_MALFORMED',
  'CREDENTIAL_MISSING',
  'CREDENTIAL_INVALID',
  'CREDENTIAL_EXPIRED',
  'ACTION_FORBIDDEN',
  'RATE_LIMITED',
  'UNEXPECTED_ERROR',
  'ISSUER_UNAVAILABLE',
  'REQUEST_TIMED_OUT',
] as const satisfies readonly ErrorCode[];
const WITH_BODY = ['BODY_TOO_LARGE', 'MEDIA_TYPE_UNSUPPORTED'] as const satisfies readonly ErrorCode[];

/** Every code with which this route may refuse. */
export const refusalsOf = ({ refusals, body, method, path }: Route): readonly ErrorCode[] => {
  // What changes something is in the audit log first.
  const recorded = method === 'GET' ? [] : (['AUDIT_UNAVAILABLE'] as const);
  // No path has a part that is longer than any id.
  const named = path ? (['ROUTE_UNKNOWN'] as const) : [];
  return [...new Set([...COMMON_REFUSALS, ...recorded, ...named, ...(body ? WITH_BODY : []), ...refusals])];
};

/** The schema of a route, its answers and its problems by status. */
export function schemaOf(route: Route): FastifySchema {
  const { answers, body, path = NOTHING, query = NOTHING } = route;
  const byStatus = Object.groupBy(refusalsOf(route), (code) => errorCodes[code].status);
  const problems = Object.entries(byStatus).map(([status, codes]) => [
    status,
    { description: codes.join(', '), content: { [PROBLEM_TYPE]: { schema: problemDto } } },
  ]);
  return {
    params: path,
    querystring: query,
    ...(body ? { body } : {}),
    response: { ...Object.fromEntries(problems), ...answers, ...streamOf(route) },
  };
}

/** The answer of a route that streams, under its media type. */
const streamOf = ({ streams, answers }: Route) =>
  streams && { 200: { description: 'Events, each of this shape.', content: { [streams]: { schema: answers[200] } } } };

const PARTS: Readonly<Record<string, Flaw['in']>> = {
  body: 'body',
  querystring: 'query',
  params: 'path',
  headers: 'header',
};

/** Checks a part of a request; what is wrong is told by pointer. */
export const validatorCompiler: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart }) => {
  const part = PARTS[httpPart ?? ''] ?? 'body';
  return (data) => {
    const parsed = schema.safeParse(data);
    return parsed.success ? { value: parsed.data } : { error: invalidRequest(flawsIn(parsed.error, part)) };
  };
};

/** What is wrong, by pointer. */
export const flawsIn = ({ issues }: z.ZodError, part: Flaw['in']): readonly Flaw[] =>
  issues.flatMap((issue) => flawsOf(issue, part));

/** What was read. @throws CodedError REQUEST_MALFORMED when it is no JSON that means one thing */
export function jsonOrRefused<T>(read: () => T, what: string): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof JsonRefused) throw new CodedError('REQUEST_MALFORMED', `${what} is ${error.message}`);
    throw error;
  }
}

function flawsOf(issue: z.core.$ZodIssue, part: Flaw['in']): readonly Flaw[] {
  if (issue.code !== 'unrecognized_keys') return [{ in: part, pointer: pointerOf(issue.path), detail: issue.message }];
  return issue.keys.map((key) => ({ in: part, pointer: pointerOf([...issue.path, key]), detail: 'is not known' }));
}

const MAX_POINTER_CHARACTERS = 200;

/** RFC 6901, cut where somebody sent names without end. */
const pointerOf = (path: readonly PropertyKey[]): string =>
  path
    .map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('')
    .slice(0, MAX_POINTER_CHARACTERS);
