import type { InstanceStatus, MPDClusterStatus } from '../../crds/mpdcluster.ts';
import type { HeardReport } from '../ha/evidence.ts';
import { isStarved } from '../ha/followers.ts';
import { comparePosition, type LogPosition } from '../ha/lsn.ts';
import type { GroupRecord } from '../ha/record.ts';
import type { GroupView } from '../ha/view.ts';
import { isLeaving } from '../kinds/pods.ts';
import { setConditions } from '../kube/conditions.ts';
import type { Pod } from '../kube/resources.ts';
import { conditionsOf, isUnreadable, type StatusParts } from './conditions.ts';
import { isOf } from './reports.ts';
import type { ClusterInstance } from '../kinds/instances.ts';

/** The fields of a cluster's status that this part answers for, as they should be; others are left alone. */
export function statusOf(parts: StatusParts): Partial<MPDClusterStatus> {
  const { target, view, date, pods } = parts;
  const { status, metadata } = target.cluster;
  const record = view.recorded?.record;
  const holder = record?.holder?.instanceId;
  const updates = conditionsOf(parts).map(it => ({ ...it, observedGeneration: metadata.generation }));
  const conditions = [...setConditions(status.conditions, updates, date)];
  if (isUnreadable(parts)) return { conditions };
  const instances = target.instances.map(it => [it.id, instanceStatus(it, parts)] as const);
  return {
    ...(holder !== undefined && {
      leaderInstanceId: holder,
      leaderInstanceHost: podOf(
        pods,
        target.instances.find(it => it.id === holder),
      )?.spec?.nodeName,
    }),
    conditions,
    dbInstanceStatus: Object.fromEntries(instances),
  };
}

const podOf = (pods: readonly Pod[], instance: ClusterInstance | undefined): Pod | undefined =>
  pods.find(pod => pod.metadata.name === instance?.podName);

function instanceStatus(instance: ClusterInstance, { target, view, pods, date }: StatusParts): InstanceStatus {
  const before = target.cluster.status.dbInstanceStatus?.[instance.id] ?? {};
  const record = view.recorded?.record;
  const pod = podOf(pods, instance);
  const report = pod && reportOf(pod, view);
  return {
    insType: typeOf(instance, record),
    ...stateAfter(before, stateOf(instance, { pod, report, view }), date),
    ...(report?.position && { timeline: report.position.timeline }),
    ...lagOf(before, { report, view }),
  };
}

/** Fresh enough to be told. */
function reportOf(pod: Pod, { evidence, now, options }: GroupView): HeardReport | undefined {
  const found = evidence.reports.find(it => it.incarnation.podUid === pod.metadata.uid);
  return found && now - found.heardAt <= options.silentMs ? found : undefined;
}

/** While nobody holds the group, whoever held it last is still told as RW. */
function typeOf({ id, role }: ClusterInstance, record: GroupRecord | undefined): 'rw' | 'ro' | 'standby' {
  const rw = (record?.holder ?? record?.former?.incarnation)?.instanceId;
  if (rw === undefined) return role;
  if (rw === id) return 'rw';
  return role === 'standby' ? 'standby' : 'ro';
}

interface Seen {
  pod: Pod | undefined;
  report: HeardReport | undefined;
  view: GroupView;
}

interface State {
  state: string;
  reason: string;
}

/** Phases in the words of the original's cluster manager: the first that fits. */
function stateOf(instance: ClusterInstance, seen: Seen): State {
  const { pod, report } = seen;
  if (!pod) return { state: 'PENDING', reason: 'no pod' };
  if (isLeaving(pod)) return { state: 'STOPPING', reason: 'its pod is being deleted' };
  if (!report) return { state: 'PENDING', reason: 'its agent does not answer' };
  return engineState(instance, report, seen.view);
}

function engineState({ id }: ClusterInstance, report: HeardReport, view: GroupView): State {
  const { engine, task } = report;
  if (engine.problem !== undefined) return { state: 'FAILED', reason: engine.problem };
  if (task?.state === 'running') return { state: 'CREATING', reason: task.kind };
  if (engine.state !== 'running') return OTHER_STATES[engine.state];
  const isRw = view.recorded?.record.holder?.instanceId === id;
  return isRw ? rwState(report) : followerState(report, view);
}

const rwState = ({ engine }: HeardReport): State =>
  engine.acceptsWrites ? RUNNING : { state: 'STARTING', reason: 'it does not take writes yet' };

function followerState({ receiver, incarnation }: HeardReport, view: GroupView): State {
  if (!view.isStreaming || receiver?.streaming) return RUNNING;
  return { state: 'STARTING', reason: isStarved(view, incarnation) ? STARVED : 'it does not stream from the RW' };
}

const STARVED = 'it gets nothing from the RW; its engine is restarted once: see its log and the way to the RW';

const RUNNING: State = { state: 'RUNNING', reason: '' };
const OTHER_STATES: Readonly<Record<Exclude<HeardReport['engine']['state'], 'running'>, State>> = {
  stopped: { state: 'STOPPED', reason: '' },
  starting: { state: 'STARTING', reason: '' },
  stopping: { state: 'STOPPING', reason: '' },
  crashed: { state: 'FAILED', reason: 'its engine crashed' },
  held: { state: 'RUNNING', reason: 'stands ready without an engine process' },
};

/** Present and former state, with the time of the change between them. */
function stateAfter(
  { currentState, lastState }: InstanceStatus,
  { state, reason }: State,
  now: Date,
): Pick<InstanceStatus, 'currentState' | 'lastState'> {
  if (currentState?.state === state && currentState.reason === reason) return { currentState, lastState };
  const at = now.toISOString().replace(/\.\d+Z$/, 'Z');
  return {
    currentState: { state, reason, startAt: at },
    lastState: currentState ? { ...currentState, finishAt: at } : lastState,
  };
}

/** Less than one segment of the log is what any busy follower is behind. */
const NOTABLE_LAG = 16 * 1024 * 1024;

/** In powers of two and only when notable: each change of it is a write, and a busy cluster would write for ever. */
function lagOf({ lagBytes }: InstanceStatus, { report, view }: Omit<Seen, 'pod'>): Pick<InstanceStatus, 'lagBytes'> {
  const holder = view.recorded?.record.holder;
  const rw = view.evidence.reports.find(it => isOf(it.incarnation, holder))?.position;
  if (!view.isStreaming || !report?.position || !rw) return { lagBytes };
  const behind = Number(behindBy(report.position, rw));
  return { lagBytes: behind < NOTABLE_LAG ? 0 : 2 ** Math.floor(Math.log2(behind)) };
}

const behindBy = (it: LogPosition, rw: LogPosition): bigint =>
  comparePosition(it, rw) >= 0 ? 0n : rw.lsn > it.lsn ? rw.lsn - it.lsn : 0n;
