// What a person may choose of a demo run.
export interface DemoOptions {
  readonly transfers: number;
  readonly seed: number;
  /** Records a second; undefined: as fast as they are taken. */
  readonly rate?: number;
  /** End by itself instead of running on until Ctrl-C. */
  readonly exit: boolean;
  /** Where to write the summary. */
  readonly json?: string;
  /** Give up when no topic has moved for so long, ms. */
  readonly quietMs: number;
}
