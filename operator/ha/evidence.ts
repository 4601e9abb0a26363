import type { Role } from '../model/roles.ts';
import type { CommandStamp } from './command.ts';
import type { Incarnation } from './incarnation.ts';
import type { LogPosition, Lsn } from './lsn.ts';
import type { GrantNote } from './record.ts';

/** Everything a decision about one group may look at, besides its record. Gathered once, by reading, per decision. */
export interface Evidence {
  /** One answer per pod that has an agent; no answer, no entry. */
  reports: readonly MemberReport[];
  /**
   * The pod that the holder, or else the former holder, runs in, by its UID. Undefined: a read newer than the grant
   * shows no such pod, which proves nothing but lets a holder be revoked.
   */
  pod?: PodView;
  /** The node of the record's grant note. */
  node?: NodeView;
  attestation?: Attestation;
  /** Rung 3. */
  storageFence?: StorageFence;
  /** Rung 4; undefined where expiry proves nothing. */
  expiry?: Expiry;
}

/** The storage moved the write right to this epoch, read back from the device. */
export interface StorageFence {
  epoch: number;
  text: string;
  at: string;
}

/** What rung 4 found: the former holder's right has run out, or what it still waits for. */
export type Expiry = { over: true; text: string } | { over: false; missing: string; at?: number };

/** What the agent of one incarnation last said over its stream. Times are ms of the hearer's monotonic clock. */
export interface HeardReport extends MemberReport {
  heardAt: number;
  /** Flushed position: of an RW what it wrote, of a follower what it received. Undefined while nothing can tell. */
  position?: LogPosition;
  /** Of a follower: does it stream, and from the address of which incarnation? */
  receiver?: { streaming: boolean; from?: Incarnation };
  /** The highest command that it obeyed, of whatever cluster. */
  highest?: CommandStamp;
  /** Epoch up to which it promised, fsynced, not to be RW again (protocol, Stopped). */
  demotedEpoch?: number;
  /** It cut its receiver from the RW of before this epoch, and then looked how far its log goes. */
  prepared?: Prepared;
  /** What the engine's synchronous replication stands at (RW, or staged on a follower). */
  quorum?: QuorumReport;
  /** Walsenders of an RW. */
  senders?: readonly Sender[];
  /** Hash of the settings in force. */
  settingsHash?: string;
  /** The long call that runs, else the one that ended last. */
  task?: { kind: string; state: 'running' | 'done' | 'failed'; phase: string; error?: string };
  /** Its data cannot go on from its upstream by streaming (history parted, WAL gone): no waiting helps. */
  needsRejoin?: boolean;
  /** Its data was rewound and has not streamed since. */
  isRewound?: boolean;
  /** What it was last told to be, and whom to follow. */
  plan?: { role: Role | 'stopped'; upstream?: Incarnation };
}

export interface Prepared extends Partial<LogPosition> {
  epoch: number;
  /** Since its last promise, or its boot: a promise of an earlier life may be as young as that. */
  promiseAgeMs: number;
}

export interface QuorumReport {
  generation: number;
  members: readonly Incarnation[];
  k: number;
  /** All backends have reloaded, walsenders of removed members have ended, waiters were nudged. */
  isInEffect: boolean;
  /** Flushed position of the RW when it came into effect: what was acknowledged before lies below. */
  since?: Lsn;
}

export interface Sender {
  incarnation: Incarnation;
  flushed?: Lsn;
  state: string;
}

/** Another member tried to reach the RW after that had fallen silent. */
export interface Probe {
  by: Incarnation;
  about: Incarnation;
  reached: boolean;
  /** When it was told, ms of this cluster manager's monotonic clock. */
  at: number;
}

/** What a cluster manager looks at for one group. */
export interface GroupEvidence {
  reports: readonly HeardReport[];
  /** All pods of the group's engines that there are, or were a moment ago. */
  pods: readonly PodView[];
  /** The node of the record's grant note. */
  node?: NodeView;
  attestation?: Attestation;
  storageFence?: StorageFence;
  probes: readonly Probe[];
}

/** What the agent of one incarnation answered, joined with its pod's status. */
export interface MemberReport {
  incarnation: Incarnation;
  /** Epoch of the record as it was read directly before this question was sent: says what the answer is younger than. */
  askedAtEpoch: number;
  /** Its pod is being deleted or is gone. */
  leaving: boolean;
  /** Where it runs; undefined until the kubelet has reported the running container. */
  container?: GrantNote;
  volume: VolumeFacts;
  /** Highest epoch that the agent persisted from commands of this cluster. */
  highestEpoch?: number;
  engine: EngineView;
  /** The agent's proof that nothing of the engine is left, for the epoch of the demotion that it persisted before. */
  stopped?: { epoch: number; at: string };
}

export interface EngineView {
  state: 'stopped' | 'starting' | 'running' | 'stopping' | 'crashed' | 'held';
  role?: Role;
  acceptsWrites: boolean;
  /** Why the image cannot run this engine at all. */
  problem?: string;
}

/** What the data volume says of itself. An initialized one without an identity is as good as foreign. */
export interface VolumeFacts {
  state: 'blank' | 'partial' | 'initialized' | 'foreign';
  clusterUid?: string;
  epoch?: number;
  /** Who was RW on it in that epoch; undefined where nobody was, or an agent of a former release wrote the epoch. */
  holder?: Incarnation;
  /** The newest that pg_control knows. */
  timeline?: number;
}

export interface PodView {
  uid: string;
  /** Has a deletion timestamp. */
  leaving: boolean;
  /** Of the engine container, from `state` and `lastState`: only what has `terminated` with a container id. */
  terminated: readonly TerminatedContainer[];
}

/** `terminated` of a container status. The id is the one inside `terminated`, never the one beside `state`. */
export interface TerminatedContainer {
  containerId: string;
  startedAt: string;
  finishedAt: string;
  /** What the container left in its termination log; our agent leaves its incarnation there when it starts. */
  message?: string;
}

export interface NodeView {
  /** resourceVersion of the node's Lease in `kube-node-lease`; undefined when there is none. */
  leaseVersion?: string;
  /** Taint `node.kubernetes.io/out-of-service`. */
  outOfService: boolean;
  /** Condition Ready is `Unknown`: its kubelet has gone silent too. No proof, but a second witness. */
  isSilent?: boolean;
}

/** A person says that the host of this incarnation is off, or its engine dead for good. */
export interface Attestation {
  incarnation: Incarnation;
  who: string;
  when: string;
}
