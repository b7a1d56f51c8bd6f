// A route as data: what it takes, what it answers, which action of the table it is. app.ts serves routes, openapi.ts documents
// them, and tests ask each of them what every route must refuse.
import { z } from 'zod';
import type { Principal } from '../../operations/access/principal.ts';
import type { Action, Condition } from '../../operations/access/table.ts';
import type { ActResult } from '../../operations/audit/audit.ts';
import type { ErrorCode } from '../../ports/error-codes.ts';
import type { ApiComponents } from '../../services/api/components.ts';
import type { Problem } from './problem.ts';

/** A request that was let in and has the shape that its route asks for. */
export interface Asked<Path, Query, Body> {
  readonly path: Path;
  readonly query: Query;
  readonly body: Body;
  readonly principal: Principal;
  /** `own`: the route must check, with `mayTouch`, that what is asked for belongs to the principal. */
  readonly condition: Exclude<Condition, 'never'>;
  readonly traceId: string;
  header(name: string): string | undefined;
  /** Aborted when the caller is gone or the answer takes too long. */
  readonly signal: AbortSignal;
  readonly parts: ApiComponents;
  /** Counts so many requests more, for what one request brings. @throws CodedError RATE_LIMITED */
  charge(requests: number): void;
  /** What would be said of anything thrown; failures of ours are logged. */
  problemOf(thrown: unknown): Problem;
}

/** An answer. `body` is absent for 204 and 304. */
export interface Answer<Status extends number = number, Body = unknown> {
  readonly status: Status;
  readonly body?: Body | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** What the audit log is told beside who, what and to what: what was decided on, and the items of a bulk act. */
  readonly audited?: ActResult;
}

type Shapes = { readonly [status: number]: z.ZodType };
type AnswerOf<A extends Shapes> = { [S in keyof A & number]: Answer<S, z.output<A[S]>> }[keyof A & number];

/** A header field of a request, as the document describes it. */
interface HeaderField {
  readonly description: string;
  readonly required?: true;
  /** A regular expression. */
  readonly pattern?: string;
}

interface RouteSpec<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, A extends Shapes> {
  /** Name of the operation in the document: a verb and what it is about. */
  readonly name: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With `:name` for what is in `path`. */
  readonly url: `/v1/${string}`;
  readonly action: Action;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** Objects are strict: what is not known is refused. */
  readonly path?: P;
  readonly query?: Q;
  readonly body?: B;
  /** Media type of the body and of the answer; default: JSON. With another, both are text. */
  readonly media?: 'application/x-ndjson';
  /** Bytes of the body at most; default: 64 KiB. */
  readonly bodyLimit?: number;
  /** Request headers that the document names, lower-case. The route checks them itself. */
  readonly headers?: Readonly<Record<string, HeaderField>>;
  /** Also what a program does by it is in the audit log one by one, before it is done: it is rare, and matters. */
  readonly isRecorded?: true;
  /** Media type of its 200, which is a stream: it ends by itself, and is no JSON. */
  readonly streams?: 'text/event-stream';
  /** DTOs by status; `z.undefined()` where there is no body. */
  readonly answers: A;
  /** Codes with which it may refuse, beside those of every route. */
  readonly refusals: readonly ErrorCode[];
  handle(asked: Asked<z.output<P>, z.output<Q>, z.output<B>>): Promise<AnswerOf<A>>;
}

/** Any route. */
export interface Route extends Omit<RouteSpec<z.ZodType, z.ZodType, z.ZodType, Shapes>, 'handle'> {
  handle(asked: Asked<never, never, never>): Promise<Answer>;
}

/** A route whose handler is typed by its DTOs. */
export function route<
  A extends Shapes,
  P extends z.ZodType = typeof NOTHING,
  Q extends z.ZodType = typeof NOTHING,
  B extends z.ZodType = z.ZodUndefined,
>(spec: RouteSpec<P, Q, B, A>): Route {
  return spec as unknown as Route;
}

/** An answer, its status known to the compiler. */
export const answer = <const Status extends number, Body>(
  status: Status,
  body: Body,
  headers: Readonly<Record<string, string>> = {},
): { readonly status: Status; readonly body: Body; readonly headers: Readonly<Record<string, string>> } => ({
  status,
  body,
  headers,
});

/** Of a route that takes no parameters. */
export const NOTHING = z.strictObject({});
