// How the schema registry is reached.
export interface RegistryOptions {
  readonly url: string;
  readonly auth?: { readonly username: string; readonly password: string };
  /** Longest wait for an answer, ms. */
  readonly timeoutMs?: number;
  readonly now?: () => number;
  readonly sleep?: (ms: number) => Promise<void>;
  /** Strings are written as avsc does it, not the faster way. */
  readonly shippedStrings?: boolean;
}
