import type { ClusterStatus } from '../../../crds/mpdcluster.ts';
import type { OperationType } from '../../../crds/mpdoperation.ts';
import type { Flow } from '../../workflow/step.ts';
import type { ClusterContext } from '../context.ts';
import { onNumbered, takeNumbers } from '../steps/numbers.ts';
import {
  bringUpWriter,
  createAccounts,
  joinFollowers,
  prepareObjects,
  releasePorts,
  removeAllPods,
  removeVolumes,
  startPods,
  stopWriter,
} from '../steps/steps.ts';

/** Operations that this release can do, as ordered steps. Others fail at once and say so. */
export const FLOWS: Partial<Record<OperationType, Flow<ClusterContext>>> = {
  create: {
    name: 'create',
    steps: [takeNumbers, ...[prepareObjects, startPods, bringUpWriter, createAccounts, joinFollowers].map(onNumbered)],
  },
  addRo: { name: 'addRo', steps: [takeNumbers, onNumbered(joinFollowers)] },
  stop: { name: 'stop', steps: [stopWriter, removeAllPods] },
  // No step waits for one pod alone: another instance may become RW when the host of the former one is off.
  start: { name: 'start', steps: [prepareObjects, bringUpWriter, joinFollowers] },
  delete: { name: 'delete', steps: [stopWriter, removeAllPods, removeVolumes, releasePorts] },
};

/** Word of the original for a cluster while this operation runs; others keep the word they find. */
export const STATUS_WHILE: Partial<Record<OperationType, ClusterStatus>> = {
  create: 'Creating',
  addRo: 'AddRo',
  switchRw: 'SwitchRw',
  forceFailover: 'SwitchRw',
  delete: 'Deleting',
};

/** And when it has succeeded. */
export const STATUS_AFTER: Partial<Record<OperationType, ClusterStatus>> = {
  create: 'Running',
  addRo: 'Running',
  stop: 'Stopped',
  start: 'Running',
  delete: 'Deleting',
};
