// How much of its time a price must still have when it is paid.

/** So that the executor has time to submit, ms. Dispatch pays by no price with less, and pricing gives none by a quote with less. */
export const MIN_REMAINING_MS = 30_000;
