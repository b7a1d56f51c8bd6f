// What persons decided beside transfers, as verification reads it: each document with what is wrong with its seal.
import type { Db, Document } from 'mongodb';
import type { KeyRing } from '../../domain/seals/seal.ts';
import { flawOfException } from '../../operations/exceptions/exception.ts';
import type { ListReference } from '../../schemas/types.generated.ts';
import { flawOfCustomerCase } from '../../screening/rescreening/customer-seals.ts';
import type { FindingCode } from '../../verify/finding-codes.ts';
import type { SealedDocument, SealedDocuments } from '../../verify/ports.ts';
import { MAJORITY } from './client.ts';
import { CUSTOMER_CASES, customerCaseOf } from './customer-cases.ts';
import { discardedLetters } from './discarded-letters.ts';
import { mongoFault } from './fault.ts';
import { ACTIVE_LISTS, flawOfActivation } from './list-activations.ts';
import { flawOfKept, LIST_HISTORY } from './list-history.ts';
import { flawOfHead, LIST_VERSIONS } from './list-versions.ts';
import { EXCEPTIONS, exceptionOf } from './screening-exceptions.ts';

export interface SealedDocumentsOptions {
  readonly db: Db;
  readonly operators: KeyRing;
  /** What the log says: a database that is behind it was put back. */
  readonly inLog: {
    readonly activations: ReadonlyMap<string, ListReference>;
    readonly revoked: ReadonlySet<string>;
  };
}

type Stored = Document & { readonly _id: string };

const PAGE = 1_000;

/** Read-only. */
export function sealedDocuments({ db, operators, inLog }: SealedDocumentsOptions): SealedDocuments {
  const kinds: readonly [SealedDocument['kind'], string, (document: Stored) => FindingCode | undefined][] = [
    ['list version', LIST_VERSIONS, (document) => flawOfHead(operators, document as never)],
    ['activation', ACTIVE_LISTS, (document) => flawOfActivation(operators, document as never) ?? behind(document)],
    ['past activation', LIST_HISTORY, (document) => flawOfKept(operators, document)],
    [
      'exception',
      EXCEPTIONS,
      (document) => flawOfException(operators, exceptionOf(document as never)) ?? taken(document),
    ],
    ['customer case', CUSTOMER_CASES, (document) => flawOfCustomerCase(operators, customerCaseOf(document as never))],
  ];

  const behind = ({ _id, revision }: Stored) =>
    revision < (inLog.activations.get(_id)?.activation ?? 0) ? 'LIST_ACTIVATION_ROLLED_BACK' : undefined;
  const taken = ({ _id, revoked }: Stored) =>
    revoked === null && inLog.revoked.has(_id) ? 'EXCEPTION_UNREVOKED' : undefined;

  return {
    async *all() {
      const active = new Set<string>();
      for (const [kind, name, flawOf] of kinds) {
        let page: SealedDocument[] = [];
        try {
          for await (const document of db.collection<Stored>(name, MAJORITY).find({}, { batchSize: PAGE })) {
            if (kind === 'activation') active.add(document._id);
            page.push({ kind, id: document._id, flaw: shapeless(() => flawOf(document as Stored), kind) });
            if (page.length < PAGE) continue;
            yield page;
            page = [];
          }
        } catch (error) {
          throw mongoFault(error);
        }
        yield page;
      }
      const missing = [...inLog.activations.keys()].filter((source) => !active.has(source));
      yield* discardedLetters(db, operators);
      yield missing.map((id) => ({ kind: 'activation', id, flaw: 'LIST_ACTIVATION_ROLLED_BACK' }));
    },
  };
}

const UNREADABLE: Readonly<Record<SealedDocument['kind'], FindingCode>> = {
  'list version': 'LIST_VERSION_NOT_SEALED',
  activation: 'LIST_ACTIVATION_NOT_SEALED',
  'past activation': 'LIST_ACTIVATION_NOT_SEALED',
  exception: 'EXCEPTION_NOT_SEALED',
  'customer case': 'CUSTOMER_CASE_NOT_SEALED',
  'discarded letter': 'DISCARD_UNAPPROVED',
};

/** A document of another shape than any that was ever written is not what was decided. */
function shapeless(flaw: () => FindingCode | undefined, kind: SealedDocument['kind']): FindingCode | undefined {
  try {
    return flaw();
  } catch {
    return UNREADABLE[kind];
  }
}
