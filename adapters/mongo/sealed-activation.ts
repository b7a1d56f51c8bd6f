// Whether a list version was put in force as a document says.
import type { KeyRing } from '../../domain/seals/seal.ts';
import { isSealedActivation } from '../../screening/versions/list-seals.ts';
import type { Activation } from '../../screening/versions/store.ts';

/** As it was put in force; the number that it goes by is the one that is sealed. */
export const isSealedAsActive = (operators: KeyRing, activation: Activation, seal: unknown): boolean =>
  Number.isSafeInteger(activation.revision) &&
  activation.revision === activation.list?.activation &&
  isSealedActivation(operators, activation, seal);
