// The one rule of transfer ids. What passes here is taken by every provider, fits a key of Kafka and of MongoDB, and is
// never mistaken for an option of a command: attempts are named `<transferId>:<attempt>`, so a colon is no part of it.

export const TRANSFER_ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_-]{6,62}[A-Za-z0-9]$/;

export const MAX_TRANSFER_ID_CHARACTERS = 64;

/** The rule in words, for messages and documents. */
export const TRANSFER_ID_RULE =
  '8 to 64 letters (A to Z, a to z), digits, - or _, with a letter or digit first and last';

/** Whether a text is a transfer id: 8 to 64 ASCII letters, digits, - or _, with a letter or digit first and last. */
export const isTransferId = (text: string): boolean => TRANSFER_ID_PATTERN.test(text);
