// Which routes a process serves. A route is on the face of those whose roles may do it: what no producer may do is not there
// at all where producers come in. Programs (the role service) come in where operators do, but for what producers may do too.
import { conditionFor, ROLES } from '../../operations/access/table.ts';
import type { Config } from '../../runtime/config/config.ts';
import type { Route } from './route.ts';

export type Face = Config['api']['faces'][number];

const OTHERS = ROLES.filter((role) => role !== 'producer');

/** The faces that a route is on. Pure. */
export function facesOf({ action }: Pick<Route, 'action'>): readonly Face[] {
  const isProducers = conditionFor(['producer'], action) !== 'never';
  const isOperators = conditionFor(OTHERS, action) !== 'never';
  return [...(isProducers ? (['producers'] as const) : []), ...(isOperators ? (['operators'] as const) : [])];
}

/** The routes of a process with these faces. */
export const routesOn = (routes: readonly Route[], faces: readonly Face[]): readonly Route[] =>
  routes.filter((route) => facesOf(route).some((face) => faces.includes(face)));
