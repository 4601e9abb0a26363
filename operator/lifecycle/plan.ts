import type { EngineName, Topology } from '../model/roles.ts';
import type { ClusterInstance } from '../kinds/instances.ts';

/** Everything that builders and steps need of one cluster, resolved: no lookup, no default is left to them. */
export interface ClusterPlan {
  namespace: string;
  name: string;
  uid: string;
  /** The original's logical id of the cluster; part of the account Secrets' names. */
  logicId: string;
  engine: EngineName;
  topology: Topology;
  images: PlanImages;
  /** User and group of the engine's processes, owner of the files on the volume. Absent: what the image says. */
  runAs?: Readonly<{ user: number; group: number }>;
  /** Host network when the spec gives an engine port (the original's only way), else the pod network. */
  hostNetwork: boolean;
  resources: PlanResources;
  /** Engine parameters as they shall be in effect. */
  settings: Readonly<Record<string, string>>;
  volume: PlanVolume;
  application: { database: string; owner: string };
  terminationPolicy: 'Retain' | 'Delete';
  instances: readonly ClusterInstance[];
  /** Why no pod can be made now: the site lost the class or version of a cluster that runs. What runs is kept. */
  unresolved?: string;
}

export interface PlanImages {
  /** Our own image: agent and runtime for the engine pod. */
  stack: string;
  engine: string;
  /** Version of the minor version map that named the engine image. */
  versionName: string;
  pullPolicy: 'Always' | 'IfNotPresent' | 'Never';
}

/** Quantities as Kubernetes writes them. */
export interface PlanResources {
  limits: Readonly<Record<string, string>>;
  requests: Readonly<Record<string, string>>;
}

export type PlanVolume =
  { kind: 'own'; size: string; storageClassName?: string } | { kind: 'shared'; claimName: string };
