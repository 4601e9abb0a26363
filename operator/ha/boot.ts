import type { VolumeFacts } from './evidence.ts';
import { formatIncarnation, isSameIncarnation, type Incarnation } from './incarnation.ts';
import { isFirstCreation, type GroupRecord } from './record.ts';

/** What the record lets an engine start as. `rw` is no right: the agent also needs one that holds (right.ts). */
export interface BootVerdict {
  run: 'stopped' | 'follower' | 'rw';
  reason: BootReason;
  message: string;
}

export type BootReason =
  | 'NoRecord'
  | 'ForeignVolume'
  | 'VolumeBlank'
  | 'VolumePartial'
  | 'RecordBehind'
  | 'Holder'
  | 'FormerSelf'
  | 'HolderElsewhere'
  | 'NoHolder';

/** Who was RW does not matter here. */
type VolumeState = Omit<VolumeFacts, 'holder'>;

export interface BootView {
  /** As read directly; undefined when there is none. */
  record?: GroupRecord;
  me: Incarnation;
  volume: VolumeState;
}

/** The first rule that applies decides. The default is to boot stopped; nothing but the record makes an RW. */
export function bootVerdict(view: BootView): BootVerdict {
  for (const rule of rules) {
    const verdict = rule(view);
    if (verdict) return verdict;
  }
  return stay('NoRecord', 'there is no record of this group');
}

/**
 * May a new, empty database system be made here? Only before anybody ever held the group, and never over data.
 * An interrupted initdb (`partial`) is done again.
 */
export const mayInitialize = (record: GroupRecord, volume: VolumeState): boolean =>
  isFirstCreation(record) && (volume.state === 'blank' || volume.state === 'partial');

type Rule = (view: BootView) => BootVerdict | undefined;

const stay = (reason: BootReason, message: string): BootVerdict => ({ run: 'stopped', reason, message });

const needsRecord: Rule = ({ record }) => (record ? undefined : stay('NoRecord', 'there is no record of this group'));

const needsOwnVolume: Rule = ({ record, volume }) => {
  if (volume.state === 'blank') return stay('VolumeBlank', 'the data volume is blank');
  if (volume.state === 'partial') return stay('VolumePartial', 'the data volume was never filled to the end');
  if (volume.state === 'initialized' && volume.clusterUid === record?.clusterUid) return undefined;
  return stay('ForeignVolume', 'the data volume belongs to another cluster, or does not say to which');
};

/** A volume from the future means that the record was lost and came back older (etcd restored). */
const needsRecordUpToDate: Rule = ({ record, volume }) => {
  if (record && (volume.epoch ?? 0) <= record.epoch) return undefined;
  return stay('RecordBehind', `the volume has seen epoch ${volume.epoch ?? 0}, the record says ${record?.epoch ?? 0}`);
};

const holderRunsRw: Rule = ({ record, me }) => {
  if (!record?.holder || !isSameIncarnation(record.holder, me)) return undefined;
  return { run: 'rw', reason: 'Holder', message: `the record names ${formatIncarnation(me)}` };
};

/** Its volume was the RW's; it waits for a grant to its new incarnation instead of following nobody. */
const formerSelfWaits: Rule = ({ record, me }) => {
  const last = record?.holder ?? record?.former?.incarnation;
  if (last && last.instanceId !== me.instanceId) return undefined;
  if (!last) return stay('NoHolder', 'nobody was granted this group yet');
  return stay('FormerSelf', `${formatIncarnation(last)} was granted, this incarnation was not yet`);
};

const othersFollow: Rule = ({ record }) => {
  const reason = record?.holder ? 'HolderElsewhere' : 'NoHolder';
  return { run: 'follower', reason, message: 'another instance is, or was last, the RW' };
};

const rules: readonly Rule[] = [
  needsRecord,
  needsOwnVolume,
  needsRecordUpToDate,
  holderRunsRw,
  formerSelfWaits,
  othersFollow,
];
