import { decide } from '../decide.ts';
import { remember, rememberShown } from '../remember.ts';
import { mayAnswer } from '../answer.ts';
import { acceptCommand } from '../command.ts';
import { isSameIncarnation, type Incarnation } from '../incarnation.ts';
import { mayAct } from '../leadership.ts';
import { takePrepare, takeQuorum } from '../member.ts';
import { onEpochKnown, onPrepared, onPromiseAsked, promiseAge } from '../promise.ts';
import {
  holds,
  needsRead,
  onAnswer,
  onPromises,
  onQuorumCommand,
  onRecordRead,
  onRevoked,
  promisersOf,
  type RightState,
} from '../right.ts';

/**
 * The production rules that the world runs on, and the few habits of the agent that are order and I/O rather than
 * functions. A mutation is these with one entry replaced.
 */
export const production = {
  remember,
  rememberShown,
  decide,
  mayAct,
  mayAnswer,
  acceptCommand,
  takePrepare,
  takeQuorum,
  onPromiseAsked,
  onEpochKnown,
  onPrepared,
  promiseAge,
  onAnswer,
  onRecordRead,
  onPromises,
  promisersOf,
  onQuorumCommand,
  onRevoked,
  needsRead,
  holds,
  /** Is a command meant for this incarnation? */
  isMe: (me: Incarnation, named: Incarnation): boolean => isSameIncarnation(me, named),
  /** A promote command is no right: it changes nothing. */
  onPromoteCommand: ({ state }: Commanded): RightState => state,
  /** From when an answered request counts: its sending. */
  countsFrom: ({ sentAt }: Asked): number => sentAt,
  habits: {
    /** Stopped means that /proc shows nothing of the engine, not that its postmaster is gone. */
    checksProc: true,
    /** A prepared member cuts its receiver, and looks at its position after that. */
    prepares: 'cut, then report' as 'cut, then report' | 'report, then cut' | 'report only',
    hasGuard: true,
    /** A promotion opens the timeline with the number of its epoch, not the next one that its own log does not know. */
    numbersTimelines: true,
    /** A leader writes its term into the record before it answers or commands. */
    stampsFirst: true,
    /** The generation of synchronous replication that an agent took outlives its engine. */
    keepsGeneration: true,
    /** What gives an agent a right is a direct read. (A manager's write would be refused.) */
    readsDirectly: true,
  },
};

/** A command to promote, at the agent's time, ms. */
interface Commanded {
  state: RightState;
  now: number;
  ttlMs: number;
}

/** A request that was answered, by the asker's clock, ms. */
interface Asked {
  sentAt: number;
  answeredAt: number;
}

export type Rules = typeof production;
