import type { MPDCluster } from '../../crds/mpdcluster.ts';
import { findCondition, type ConditionUpdate } from '../kube/conditions.ts';
import type { HostView } from './gather/hosts.ts';
import type { ClusterPlan } from './plan.ts';

const TYPE = 'ImagesAvailable';

/**
 * Are the images of the cluster's version on the hosts, as their daemons tell? A warning and no obstacle: a pod may pull
 * them when it starts. Undefined where nobody tells, or the image is the user's own.
 */
export function imagesCondition(
  { images }: Pick<ClusterPlan, 'images'>,
  { status }: Pick<MPDCluster, 'status'>,
  hosts: readonly HostView[],
): ConditionUpdate | undefined {
  const { versionName, pullPolicy } = images;
  if (versionName === '') return undefined;
  const told = hosts.flatMap(({ isOpen, versions }) => (isOpen && versions ? [versions] : []));
  if (told.length === 0) return findCondition(status.conditions, TYPE) && unknown;
  if (told.some(versions => versions.includes(versionName))) {
    const message = `there are hosts with all images of version ${versionName}`;
    return { type: TYPE, status: 'True', reason: 'ImagesPresent', message };
  }
  const none = `no host has all images of version ${versionName}`;
  if (pullPolicy !== 'Never') {
    const message = `${none} yet: a pod pulls them when it starts. Where hosts reach no registry, load them into their container runtime`;
    return { type: TYPE, status: 'False', reason: 'ImagesToBePulled', message };
  }
  const there = [...new Set(told.flat())].sort().join(', ') || 'none';
  const message = `${none}, and none is pulled (policy Never): load them into the container runtime of the hosts, or name a version that is there: ${there}`;
  return { type: TYPE, status: 'False', reason: 'ImagesMissing', message };
}

const unknown: ConditionUpdate = {
  type: TYPE,
  status: 'Unknown',
  reason: 'ImagesUnknown',
  message: 'no daemon tells any more which images its host has',
};
