/** The fields of Kubernetes objects that the quickstart reads. */
export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
}

export interface Deployment {
  metadata: { generation: number };
  spec: { replicas: number };
  status?: { observedGeneration?: number; updatedReplicas?: number; replicas?: number; conditions?: Condition[] };
}

export interface Cluster {
  metadata: { name: string; namespace: string; generation: number; deletionTimestamp?: string };
  spec: { followerNum: number };
  status?: {
    observedGeneration?: number;
    clusterStatus?: string;
    conditions?: Condition[];
    operation?: Operation;
  };
}

export interface Operation {
  name: string;
  type: string;
  step?: string;
  reason?: string;
  message?: string;
}

export interface Pod {
  metadata: { name: string; namespace?: string; labels?: Record<string, string>; deletionTimestamp?: string };
  spec: { nodeName?: string };
  status?: {
    phase?: string;
    conditions?: Condition[];
    initContainerStatuses?: ContainerStatus[];
    containerStatuses?: ContainerStatus[];
  };
}

export interface ContainerStatus {
  name: string;
  ready: boolean;
  restartCount: number;
  state?: { waiting?: { reason?: string; message?: string }; terminated?: { reason?: string; exitCode?: number } };
}

export interface KubeEvent {
  type?: string;
  reason?: string;
  message?: string;
  lastTimestamp?: string | null;
  eventTime?: string | null;
  involvedObject: { kind: string; name: string };
}

export interface Service {
  spec: { clusterIP: string; ports: { port: number }[] };
}

export interface Secret {
  data: Record<string, string>;
}
