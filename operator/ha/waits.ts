/** Why there is no writer, or why what was asked is not done yet. Each has a row in docs/troubleshooting.md. */
export type WaitReason =
  | 'ForeignRecord'
  | 'RecordLost'
  | 'RecordBehind'
  | 'RecordUnreadable'
  | 'LeadershipLost'
  | 'TransitionRefused'
  // With a holder
  | 'HolderSilent'
  | 'HolderMayNotRun'
  | 'EngineStarting'
  | 'EngineStopping'
  | 'EngineCrashed'
  | 'EngineUnfit'
  | 'EngineHung'
  | 'WriteFails'
  | 'SwitchoverPreparing'
  | 'DrainWaits'
  // Without one
  | 'FormerStopping'
  | 'FormerNotProven'
  | 'InstanceDown'
  | 'TwoIncarnations'
  | 'QuorumMissing'
  | 'NoCandidate'
  | 'ColdStart'
  | 'VolumeUnusable'
  | 'ContainerUnknown';
