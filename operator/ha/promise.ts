import { isSameIncarnation, type Incarnation } from './incarnation.ts';

/** The agent of the RW asks a member: will you not be promoted by rung 4 before `ttl` is over? */
export interface PromiseAsk {
  clusterUid: string;
  epoch: number;
  generation: number;
  from: Incarnation;
}

/** What a member knows that makes it promise or refuse. Times are ms of CLOCK_BOOTTIME. */
export interface PromiseState {
  clusterUid: string;
  /** Highest epoch known from commands, beats and records; persisted as part of the highest command where it was one. */
  epoch: number;
  /** Epoch that it prepared for: from then on nobody of an older one gets a promise. Persisted. */
  preparedEpoch: number;
  /** Holder of `epoch`, where it is known. */
  holder?: Incarnation;
  /** A promise of an earlier life is not remembered: it counts as given at boot. */
  promisedAt: number;
}

/** The promise counts from here, later than the asker's sending: `promisedAt` has to be kept before the answer is sent. */
export function onPromiseAsked(
  state: PromiseState,
  ask: PromiseAsk,
  now: number,
): { promised: boolean; state: PromiseState } {
  if (!mayPromise(state, ask)) return { promised: false, state };
  return { promised: true, state: { ...state, promisedAt: now } };
}

/** A member learnt which epoch is recorded, and who holds it. */
export function onEpochKnown(state: PromiseState, epoch: number, holder?: Incarnation): PromiseState {
  if (epoch < state.epoch) return state;
  const known = holder ?? (epoch === state.epoch ? state.holder : undefined);
  const { clusterUid, preparedEpoch, promisedAt } = state;
  return { clusterUid, preparedEpoch, promisedAt, epoch, ...(known && { holder: known }) };
}

/** `preparedEpoch` has to be durable before the receiver is cut and anything is reported. */
export const onPrepared = (state: PromiseState, epoch: number): PromiseState => ({
  ...onEpochKnown(state, epoch),
  preparedEpoch: Math.max(state.preparedEpoch, epoch),
});

/** How old the last promise is at most, ms. */
export const promiseAge = ({ promisedAt }: PromiseState, now: number): number => now - promisedAt;

function mayPromise(state: PromiseState, { clusterUid, epoch, from }: PromiseAsk): boolean {
  if (clusterUid !== state.clusterUid || epoch < state.epoch || epoch < state.preparedEpoch) return false;
  return epoch > state.epoch || !state.holder || isSameIncarnation(state.holder, from);
}
