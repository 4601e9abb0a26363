import type { Topology } from '../model/roles.ts';
import type { GroupEvidence } from './evidence.ts';
import type { Incarnation } from './incarnation.ts';
import type { GroupMemory } from './memory.ts';
import type { HaOptions } from './options.ts';
import type { GroupRecord } from './record.ts';

/** One group as its cluster manager sees it at one moment. All ms are of that process's monotonic clock. */
export interface GroupView {
  clusterUid: string;
  wanted: 'running' | 'stopped';
  /** Instance that a first creation begins with. */
  first: string;
  /** Something outside the record says that this group once ran; a missing record is a lost one then. */
  established: boolean;
  topology: Topology;
  /** Do followers stream from the RW? Members on the volume of stock PostgreSQL stand ready instead. */
  isStreaming: boolean;
  options: HaOptions;
  /** All that the group shall consist of. */
  instances: readonly InstanceView[];
  /** Hash of the settings that followers shall run with. */
  settingsHash: string;
  /** From this process's own last write or direct read; undefined when there is none. */
  recorded?: Recorded;
  evidence: GroupEvidence;
  /** Whom the RW endpoint leads to. */
  published?: Incarnation;
  leader: LeaderView;
  memory: GroupMemory;
  /** Commands that this process sent and how they stand; each by `commandKey`. */
  commands: readonly CommandOutcome[];
  request?: HaRequest;
  /** An operation keeps automatic moves off. */
  isHeld: boolean;
  /** Monotonic, ms. */
  now: number;
  /** ISO 8601, for people. */
  at: string;
}

export interface Recorded {
  record: GroupRecord;
  /** resourceVersion. */
  version: string;
}

export interface InstanceView {
  id: string;
  /** What it is while it is not RW. */
  follows: 'ro' | 'standby';
  /** Its node is cordoned or draining, or the instance is about to be removed. */
  isLeaving: boolean;
}

export interface LeaderView {
  /** Acquisition of the leadership, ms. */
  since: number;
  /** Term that this leader wrote into the record and got an answer for; undefined until then (protocol, CM leadership). */
  term?: number;
  /** Last answer of kind (a) that was sent for the holder, or the former holder, ms. */
  lastAnswerAt?: number;
}

export interface CommandOutcome {
  key: string;
  state: 'running' | 'done' | 'failed';
  /** When it was done or failed, ms of the monotonic clock. */
  endedAt?: number;
  /** Why it failed: the agent's code, or SQLSTATE of a verification. */
  code?: string;
  message?: string;
}

/** What a person, an operation or the API asks for. One at a time. */
export interface HaRequest {
  kind: 'switchover' | 'force';
  id: string;
  /** Instance id; undefined: the best one. */
  target?: string;
  /** Who asks. */
  by: string;
  /** Epoch in which it was accepted; undefined until `decide` accepts it and its owner has written that down. */
  acceptedEpoch?: number;
}
