import { expect, it } from 'vitest';
import { ROUTES } from '../v1/routes.ts';
import { facesOf, routesOn } from './faces.ts';

const named = (routes: readonly { readonly name: string }[]) => routes.map(({ name }) => name);

it('keeps what no producer may do away from where producers come in', () => {
  const producers = named(routesOn(ROUTES, ['producers']));
  expect(producers).toContain('submitTransfer');
  for (const name of [
    'explainTransfer',
    'listDeadLetters',
    'freezeReplay',
    'approve',
    'listApprovals',
    'listControls',
    'getStatus',
  ])
    expect(producers, name).not.toContain(name);
});

it('keeps submissions away from where operators come in', () => {
  const operators = named(routesOn(ROUTES, ['operators']));
  expect(operators).not.toContain('submitTransfer');
  expect(operators).toContain('freezeReplay');
});

it('leaves no route without a face', () => {
  for (const route of ROUTES) expect(facesOf(route), route.name).not.toHaveLength(0);
  expect(routesOn(ROUTES, ['producers', 'operators'])).toEqual(ROUTES);
});
