// Health and metrics of one process, as an adapter serves them.

/** One answer: served as 200 when `ok`, else as 503. */
export interface HealthAnswer {
  readonly ok: boolean;
  readonly body: unknown;
}

export interface HealthSource {
  /** The process is not beyond help: restarting it would not mend anything. */
  live(): HealthAnswer;
  /** It does its work, or waits for a declared reason. */
  ready(): HealthAnswer;
  /** Both, with every part. */
  all(): HealthAnswer;
  /** Prometheus text. */
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>;
}

export interface HealthServer {
  readonly port: number;
  readonly url: string;
  close(): Promise<void>;
}
