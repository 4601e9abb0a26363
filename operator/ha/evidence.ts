import type { Role } from '../model/roles.ts';
import type { Incarnation } from './incarnation.ts';
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
}

/** A person says that the host of this incarnation is off, or its engine dead for good. */
export interface Attestation {
  incarnation: Incarnation;
  who: string;
  when: string;
}
