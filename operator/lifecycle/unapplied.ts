import { quantityValue } from '../../crds/quantity.ts';
import { targetClass, targetVersion } from '../../crds/mpdcluster.ts';
import { isClaimOf } from './builders/volumes.ts';
import type { ClusterContext } from './context.ts';

type View = Pick<ClusterContext, 'cluster' | 'plan' | 'children'>;

/** What spec asks of a cluster that runs, and this release does not carry out: what stays, by field. */
export function unapplied(view: View): string[] {
  return [followers(view), className(view), version(view), size(view)].filter(told => told !== undefined);
}

function followers({ cluster: { spec }, plan }: View): string | undefined {
  const there = plan.instances.filter(it => it.role === 'ro').length;
  const isMore =
    plan.instances.length > 0 && plan.instances.filter(it => it.role !== 'standby').length > 1 + spec.followerNum;
  return isMore ? `spec.followerNum: ${there} read-only instances stay` : undefined;
}

function className({ cluster: { spec, status } }: View): string | undefined {
  const running = status.insClassInfo?.className;
  if (running === undefined || running === targetClass(spec)) return undefined;
  return `spec.classInfo: class ${running} stays`;
}

/** A version that is not named is whichever was the site's when the cluster was made. */
function version({ cluster: { spec, status } }: View): string | undefined {
  const wanted = targetVersion(spec);
  const { versionName = '', engineImage = '' } = status.versionCfg ?? {};
  if (!status.versionCfg) return undefined;
  const isOther = wanted.versionName
    ? wanted.versionName !== versionName
    : isOtherImage(wanted.engineImage, engineImage);
  return isOther ? `spec.versionCfg: version ${versionName || engineImage} stays` : undefined;
}

const isOtherImage = (wanted: string | undefined, running: string): boolean => !!wanted && wanted !== running;

function size({ cluster, plan, children }: View): string | undefined {
  const wanted = cluster.spec.storage?.size;
  if (wanted === undefined) return undefined;
  const sizes = children.claims
    .filter(claim => isClaimOf(plan, claim))
    .flatMap(({ spec }) => (spec?.resources?.requests?.['storage'] as string | undefined) ?? []);
  const smaller = sizes.find(it => quantityValue(it) < quantityValue(wanted));
  return smaller === undefined ? undefined : `spec.storage.size: volumes of ${smaller} stay`;
}
