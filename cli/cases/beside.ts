// What else waits for a person beside cases, as lines under the inbox: acts for a second one, and broken glass for its review.

/** As the stores or the API told it. */
export interface Beside {
  readonly approvals: readonly unknown[];
  /** Broken glass that nobody has reviewed; null: not known. */
  readonly reviews: readonly { readonly id: string; readonly by: string; readonly reason: string }[] | null;
}

export const besideLines = ({ approvals, reviews }: Beside): readonly string[] => [
  ...(approvals.length > 0 ? [`${approvals.length} acts wait for a second person: corridor approvals list`] : []),
  ...(reviews === null ? ['BROKEN GLASS IS NOT SHOWN: the log could not be read in time'] : []),
  ...(reviews ?? []).map(
    ({ id, by, reason }) => `REVIEW the glass that ${by} broke (${reason}): corridor break-glass review ${id}`,
  ),
];
