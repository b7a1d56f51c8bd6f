// Which transfer a decoded record belongs to, and its own id.

/** The transfer that a decoded input belongs to. */
export function transferIdOf(value: unknown): string | undefined {
  const input = value as { transferId?: string; envelope?: { transferId: string }; command?: { transferId: string } };
  return input.envelope?.transferId ?? input.command?.transferId ?? input.transferId;
}

/** The id of an event or a command; undefined for what is neither. */
export function identityOf(value: unknown): string | undefined {
  const input = value as { envelope?: { eventId: string }; command?: { commandId: string } };
  return input.envelope?.eventId ?? input.command?.commandId;
}
