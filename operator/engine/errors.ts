/** What can be wrong with an engine, its image or its place; every code is shown to users, so none is reused. */
export type EngineErrorCode =
  /** The image lacks a program, a library or a mount that the engine needs. */
  | 'EngineMissing'
  /** The image or the data directory belongs to another engine or another major version. */
  | 'WrongEngine'
  /** Older than what is supported. */
  | 'VersionTooOld'
  /** The place already holds data, so nothing new may be made there. */
  | 'NotBlank'
  /** The place holds nothing that could be started or joined. */
  | 'NotInitialized'
  /** A process of this engine still works on the data directory. */
  | 'StillRunning'
  /** No engine answers on the socket. */
  | 'NotRunning'
  /** This role runs no engine process in this topology. */
  | 'RoleNotServed'
  /** A setting is unknown, out of range, or owned by the operator. */
  | 'BadSettings'
  /** An argument cannot be used as it is, for example a slot name with capitals. */
  | 'BadArgument'
  /** The engine did not do what it was asked to within its limit. */
  | 'TimedOut';

/** An error of the engine that a person can act on: the message says what is wrong and, where there is one, the remedy. */
export class EngineError extends Error {
  readonly code: EngineErrorCode;

  constructor(code: EngineErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'EngineError';
    this.code = code;
  }
}

/** One setting and why the engine or the operator refuses it. */
export interface SettingProblem {
  name: string;
  reason: string;
}

/** Settings that would keep the engine from starting; names all of them at once. */
export class SettingsError extends EngineError {
  readonly problems: readonly SettingProblem[];

  constructor(problems: readonly SettingProblem[]) {
    super('BadSettings', problems.map(({ name, reason }) => `${name}: ${reason}`).join('; '));
    this.name = 'SettingsError';
    this.problems = problems;
  }
}
