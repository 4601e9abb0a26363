import type { Command } from '../action.ts';
import { commandKey } from '../action.ts';
import type { HeardReport } from '../evidence.ts';
import { formatIncarnation, type Incarnation } from '../incarnation.ts';
import { noMemory, type GroupMemory } from '../memory.ts';
import { DEFAULT_OPTIONS } from '../options.ts';
import type { GroupRecord, Member } from '../record.ts';
import { remember } from '../remember.ts';
import type { GroupView } from '../view.ts';
import { AT, inc, note, UID } from './samples.ts';

/** A `local` group of three: instance 1 is RW, 2 and 3 stream from it. Time is 100,000 ms. */
export const NOW = 100_000;
export const rw = inc('1', 'pod-1', 'a');
export const two = inc('2', 'pod-2', 'b');
export const three = inc('3', 'pod-3', 'c');
/** Instance 2 after a restart of its container. */
export const twoAgain = inc('2', 'pod-2', 'd');
/** The RW's instance after a restart of its container. */
export const rwAgain = inc('1', 'pod-1', 'e');

export const full = (...members: Incarnation[]): Member[] =>
  members.map(incarnation => ({ incarnation, pending: false }));
export const pending = (...members: Incarnation[]): Member[] =>
  members.map(incarnation => ({ incarnation, pending: true }));

/** Epoch 5, E = {2, 3}, k = 1. */
export const held: GroupRecord = {
  clusterUid: UID,
  epoch: 5,
  term: 7,
  generation: 3,
  members: full(two, three),
  k: 1,
  holder: rw,
  grant: { ...note, ttlMs: 3000 },
};
/** The same after a revoke. */
export function taken(changes: Partial<GroupRecord> = {}): GroupRecord {
  const { clusterUid, term, generation, members, k } = held;
  const former = { incarnation: rw, grant: { ...note, ttlMs: 3000 }, revokedAt: AT };
  return { clusterUid, term, generation, members, k, epoch: 6, former, ...changes };
}

const heard = (incarnation: Incarnation, epoch: number): HeardReport => ({
  incarnation,
  heardAt: NOW - 100,
  askedAtEpoch: epoch,
  leaving: false,
  container: { ...note, containerId: `containerd://${incarnation.nonce}` },
  volume: { state: 'initialized', clusterUid: UID, epoch: 5, timeline: 1 },
  highestEpoch: epoch,
  engine: { state: 'running', role: 'ro', acceptsWrites: false },
  position: { timeline: 1, lsn: 1000n },
  settingsHash: 'settings',
});

/** A serving RW, with both members streaming. */
export const writer = (changes: Partial<HeardReport> = {}): HeardReport => ({
  ...heard(rw, 5),
  engine: { state: 'running', role: 'rw', acceptsWrites: true },
  quorum: { generation: 3, members: [two, three], k: 1, isInEffect: true, since: 500n },
  senders: [two, three].map(incarnation => ({ incarnation, flushed: 1000n, state: 'streaming' })),
  plan: { role: 'rw' },
  ...changes,
});

export const follower = (incarnation: Incarnation, changes: Partial<HeardReport> = {}): HeardReport => ({
  ...heard(incarnation, 5),
  receiver: { streaming: true, from: rw },
  plan: { role: 'ro', upstream: rw },
  ...changes,
});

/** A follower that answered `prepare` for epoch 6. */
export const answering = (incarnation: Incarnation, lsn = 1000n, changes: Partial<HeardReport> = {}): HeardReport =>
  follower(incarnation, {
    askedAtEpoch: 6,
    highestEpoch: 6,
    prepared: { epoch: 6, timeline: 1, lsn, promiseAgeMs: 60_000 },
    receiver: { streaming: false },
    plan: { role: 'ro' },
    ...changes,
  });

/** The former RW's agent that has stopped everything for epoch 6. */
export const stopped = (changes: Partial<HeardReport> = {}): HeardReport => ({
  ...heard(rw, 6),
  engine: { state: 'stopped', acceptsWrites: false },
  quorum: { generation: 3, members: [two, three], k: 1, isInEffect: false },
  stopped: { epoch: 6, at: AT },
  ...changes,
});

export const allWell = [writer(), follower(two), follower(three)];

export interface GroupChanges extends Omit<Partial<GroupView>, 'options' | 'memory' | 'evidence'> {
  record?: GroupRecord;
  reports?: readonly HeardReport[];
  options?: Partial<GroupView['options']>;
  evidence?: Partial<GroupView['evidence']>;
  memory?: Partial<GroupMemory>;
  done?: readonly Command[];
  failed?: readonly (Command & { code?: string })[];
}

/** A view as `decide` gets it: with what `remember` makes of it. */
export function groupView(changes: GroupChanges = {}): GroupView {
  const { record = held, reports = allWell, options, evidence, memory, done = [], failed = [], ...rest } = changes;
  const view: GroupView = {
    clusterUid: UID,
    wanted: 'running',
    first: '1',
    established: true,
    topology: 'local',
    isStreaming: true,
    options: { ...DEFAULT_OPTIONS, ...options },
    instances: ['1', '2', '3'].map(id => ({ id, follows: 'ro', isLeaving: false })),
    settingsHash: 'settings',
    recorded: { record, version: '100' },
    evidence: {
      reports,
      pods: [rw, two, three].map(({ podUid: uid }) => ({ uid, leaving: false, terminated: [] })),
      node: { leaseVersion: '90', outOfService: false },
      probes: [],
      ...evidence,
    },
    published: rw,
    leader: { since: 0, term: 7 },
    memory: { ...noMemory, epoch: record.epoch, servedAt: NOW - 1000, ...memory },
    commands: [
      ...done.map(it => ({ key: commandKey(it, record, 'settings'), state: 'done' as const })),
      ...failed.map(it => ({ key: commandKey(it, record, 'settings'), state: 'failed' as const, code: it.code })),
    ],
    isHeld: false,
    now: NOW,
    at: AT,
    ...rest,
  };
  return { ...view, memory: remember(view) };
}

/** What was decided, in few words: actions with their target, else the reason to wait. */
export function inWords({ actions, wait }: { actions: readonly object[]; wait?: { reason: string } }): string[] {
  const words = actions.map(action => {
    const { do: what, on, mode, how } = action as { do: string; on?: Incarnation; mode?: string; how?: string };
    return [how ?? what, mode, on && formatIncarnation(on).slice(0, 1)].filter(Boolean).join(' ');
  });
  return wait ? [...words, wait.reason] : words;
}
