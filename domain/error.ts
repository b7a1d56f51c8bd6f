/** A broken rule of the domain: a bug or a corrupt record, never a business decline. The code is stable. */
export class DomainError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = 'DomainError';
    this.code = code;
  }
}
