import { AgentError, type AgentErrorCode } from '../agent-api/errors.ts';
import { EngineError, SettingsError, type EngineErrorCode } from '../engine/errors.ts';
import { messageOf } from './log.ts';

/** How errors of an engine look to callers. */
const CODE: Record<EngineErrorCode, AgentErrorCode> = {
  EngineMissing: 'ImageUnfit',
  WrongEngine: 'ImageUnfit',
  VersionTooOld: 'ImageUnfit',
  NotBlank: 'VolumeInitialized',
  NotInitialized: 'VolumeBlank',
  StillRunning: 'EngineFailed',
  NotRunning: 'EngineNotRunning',
  RoleNotServed: 'WrongRole',
  BadSettings: 'Refused',
  BadArgument: 'Refused',
  TimedOut: 'Timeout',
};

/** Whatever was thrown, as an answer of the API. */
export function asAgentError(error: unknown): AgentError {
  if (error instanceof AgentError) return error;
  if (error instanceof SettingsError) {
    const field = error.problems[0] && `settings.${error.problems[0].name}`;
    return new AgentError('Refused', error.message, { field, cause: error });
  }
  if (error instanceof EngineError) return new AgentError(CODE[error.code], error.message, { cause: error });
  return new AgentError('Internal', messageOf(error), { cause: error });
}
