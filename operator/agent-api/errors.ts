import type { CommandStamp } from '../ha/command.ts';

/** What an agent answers instead of doing what it was asked. `status` is the HTTP status that carries it. */
export const AGENT_ERRORS = {
  /** The body does not fit the schema; `field` names the place. */
  InvalidRequest: { status: 400, retryable: false },
  /** The certificate's part may not make this call. */
  Forbidden: { status: 403, retryable: false },
  NotFound: { status: 404, retryable: false },
  TooLarge: { status: 413, retryable: false },
  /** A higher (epoch, term, generation) was seen; `highest` tells it. */
  StaleCommand: { status: 409, retryable: false },
  /** The command names another cluster UID. */
  ForeignCluster: { status: 409, retryable: false },
  /** The command names another incarnation of this instance: read the state again. */
  WrongIncarnation: { status: 409, retryable: false },
  /** The same request id came with another body. */
  RequestIdReused: { status: 409, retryable: false },
  /** Another long task runs. */
  Busy: { status: 409, retryable: true },
  /** Not possible in the present role: stop or demote first. */
  WrongRole: { status: 409, retryable: false },
  /** The record does not name this incarnation. */
  NoRight: { status: 409, retryable: true },
  /** Nothing is installed on the volume. */
  VolumeBlank: { status: 409, retryable: false },
  /** An install was interrupted; do it again. */
  VolumePartial: { status: 409, retryable: false },
  /** The volume holds data of another cluster, or data nobody accounts for. */
  VolumeForeign: { status: 409, retryable: false },
  /** The volume already holds this cluster's data. */
  VolumeInitialized: { status: 409, retryable: false },
  /** The image lacks the engine's programs. */
  ImageUnfit: { status: 409, retryable: false },
  /** This pod cannot run an engine safely (its PID namespace is shared). */
  UnsafePod: { status: 409, retryable: false },
  /** The engine refused a value; `field` names it. */
  Refused: { status: 422, retryable: false },
  /** A stop, demote or the loss of the right came in between. */
  Interrupted: { status: 409, retryable: true },
  /** Only a running engine can do this. */
  EngineNotRunning: { status: 503, retryable: true },
  /** The record could not be read. */
  RecordUnreachable: { status: 503, retryable: true },
  /** The engine exited or failed while it was asked. */
  EngineFailed: { status: 500, retryable: true },
  /** A bound of the agent passed. */
  Timeout: { status: 504, retryable: true },
  Internal: { status: 500, retryable: true },
  /** Only seen by clients: no connection, TLS refused, or no answer within the limit. */
  Unreachable: { status: 0, retryable: true },
  /** Only seen by clients: an answer that is not of this API. */
  BadAnswer: { status: 0, retryable: true },
} as const;

export type AgentErrorCode = keyof typeof AGENT_ERRORS;

export interface AgentErrorDetail {
  /** The field of the request that is wrong. */
  field?: string;
  /** With StaleCommand: the highest command seen. */
  highest?: CommandStamp;
  /** HTTP status of the answer, when it is not the code's own. */
  status?: number;
  cause?: unknown;
}

/** A refused or failed call. `code` may be one that only a newer release knows; then `status` decides `retryable`. */
export class AgentError extends Error {
  readonly code: string;
  readonly status: number;
  readonly retryable: boolean;
  readonly field: string | undefined;
  readonly highest: CommandStamp | undefined;

  constructor(code: AgentErrorCode | (string & {}), message: string, detail: AgentErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = 'AgentError';
    this.code = code;
    const known = isKnown(code) ? AGENT_ERRORS[code] : undefined;
    this.status = detail.status ?? known?.status ?? 500;
    this.retryable = known?.retryable ?? (this.status >= 500 || this.status === 429);
    this.field = detail.field;
    this.highest = detail.highest;
  }
}

const isKnown = (code: string): code is AgentErrorCode => Object.hasOwn(AGENT_ERRORS, code);
