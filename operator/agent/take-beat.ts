import type { Beat } from '../agent-api/beat.ts';
import type { Promises } from './promises.ts';
import type { RightKeeper } from './right-keeper.ts';
import type { Witness } from './witness.ts';

interface TakenBeat {
  beat: Beat;
  /** Sending of the report that it answers, ms of CLOCK_BOOTTIME; undefined when it answers none. */
  sentAt: number | undefined;
  right: RightKeeper;
  promises: Promises;
  witness: Witness;
}

/** Only a leader says what is recorded, so only its beats can give a right or tell of a revoke; and only it asks. */
export function takeBeat({ beat, sentAt, right, promises, witness }: TakenBeat): void {
  promises.peersAre(beat.peers);
  if (beat.isLeader) witness.asked(beat.silent);
  const { stamp } = beat;
  if (!stamp) return;
  promises.epochKnown(stamp.epoch);
  if (sentAt === undefined) right.heard(stamp);
  else right.answered(stamp, sentAt);
}
