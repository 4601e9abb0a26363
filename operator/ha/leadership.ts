/**
 * Leadership of one cluster manager process (protocol, CM leadership). Times are ms of its monotonic clock. Its
 * identity is one process start.
 */
export interface Leadership {
  acquiredAt: number;
  /** SENDING of the last renewal that succeeded; at first that of the acquisition. */
  renewalSentAt: number;
}

export interface LeaseTimes {
  /** Others take over no earlier than this after they saw the last renewal. */
  leaseMs: number;
  /** A leader acts until so long after the sending of its last successful renewal. */
  renewDeadlineMs: number;
  retryMs: number;
}

export const LEASE_TIMES: LeaseTimes = { leaseMs: 3000, renewDeadlineMs: 2000, retryMs: 500 };

/** May it command, answer and write at `now`? Asked right before each of them is sent. */
export const mayAct = (leadership: Leadership | undefined, now: number, times = LEASE_TIMES): boolean =>
  leadership !== undefined && now < leadership.renewalSentAt + times.renewDeadlineMs;

/**
 * What a leader may do with the record of one group. `term` is what it stamped itself: without it it neither answers
 * nor commands, since a former leader's write may still be under way. `writing`: a write whose answer is not there yet.
 */
export interface Authority {
  term?: number;
  writing?: WriteKind;
}

export type WriteKind = 'revoke' | 'other';

/** Nothing is stamped yet: of a new leader, and after a write that got no answer. */
export const noAuthority: Authority = {};

export const onWriteSent = (authority: Authority, writing: WriteKind): Authority => ({ ...authority, writing });

/** It is written: the record carries this term of ours now. */
export const onWritten = (term: number): Authority => ({ term });

/** Refused by resourceVersion: somebody else wrote. What is recorded then is read directly and decided from anew. */
export const onWriteRefused = ({ term }: Authority): Authority => (term === undefined ? {} : { term });

/** No answer: it may land later. The record is read directly and stamped before anything else. */
export const onWriteUnanswered = (): Authority => noAuthority;
