import {
  customResourceDefinition,
  type CustomResourceDefinition,
  type KindDefinition,
  type PrinterColumn,
} from './crd.ts';
import { mpdClusterSpec, mpdClusterStatus } from './mpdcluster.ts';
import { nameRules } from './mpdcluster/name.ts';
import { mpdOperationSpec, mpdOperationStatus } from './mpdoperation.ts';
import { celRule } from './rules.ts';

const age: PrinterColumn = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'Time since creation.',
};
const column = (name: string, jsonPath: string, description: string, priority?: number): PrinterColumn => ({
  name,
  type: 'string',
  jsonPath,
  description,
  ...(priority !== undefined && { priority }),
});

const mpdCluster: KindDefinition = {
  kind: 'MPDCluster',
  plural: 'mpdclusters',
  shortNames: ['mpd'],
  description: 'A database cluster: one read-write instance (RW) and any number of read-only instances (RO).',
  spec: mpdClusterSpec,
  status: mpdClusterStatus,
  rules: nameRules.map(celRule),
  scale: {
    specReplicasPath: '.spec.followerNum',
    statusReplicasPath: '.status.followerNum',
    labelSelectorPath: '.status.selector',
  },
  columns: [
    column('Status', '.status.clusterStatus', 'What the cluster is doing.'),
    column('Ready', '.status.conditions[?(@.type=="Ready")].status', 'Does it serve reads and writes as wanted?'),
    column('RW', '.status.leaderInstanceId', 'Instance id of the RW.'),
    column('RO', '.status.followers', 'Ready and wanted read-only instances.'),
    column('Version', '.status.version', 'Version of the engine.'),
    column('Operation', '.status.operation.type', 'Operation that is going on.'),
    column('Class', '.status.insClassInfo.className', 'Class that is running.', 1),
    column('Host', '.status.leaderInstanceHost', 'Node of the RW.', 1),
    column('Message', '.status.conditions[?(@.type=="Ready")].message', 'Why it is not ready.', 1),
    age,
  ],
};

const mpdOperation: KindDefinition = {
  kind: 'MPDOperation',
  plural: 'mpdoperations',
  shortNames: ['mpdop'],
  description: 'One operation on a cluster: who asked for what, and how far it is.',
  spec: mpdOperationSpec,
  status: mpdOperationStatus,
  columns: [
    column('Target', '.spec.target.name', 'What is operated on.'),
    column('Type', '.spec.type', 'What is done.'),
    column('Phase', '.status.phase', 'How far it is.'),
    column('Reason', '.status.reason', 'Why it waits, stopped or failed.'),
    column('By', '.spec.requestedBy', 'Who asked.', 1),
    column('Message', '.status.message', 'Why it waits, stopped or failed.', 1),
    age,
  ],
};

/** All kinds, in the order in which they are installed and documented. */
export const KINDS: readonly CustomResourceDefinition[] = [mpdCluster, mpdOperation].map(customResourceDefinition);
