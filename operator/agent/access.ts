import { ORGANISATION, PARTS, type Part } from '../model/parts.ts';

/** The part of the subject of a client certificate that says who calls. */
export interface Subject {
  O?: string | string[];
  OU?: string | string[];
  CN?: string | string[];
}

/** Which of our parts is this? Undefined when the certificate is not one of a part that may call agents. */
export function partOf(subject: Subject | undefined): Part | undefined {
  if (subject?.O !== ORGANISATION) return undefined;
  return PARTS.find(part => part === subject.OU);
}

/**
 * Who may make which call. The cluster manager moves roles and replication and never opens data; the operator opens
 * data and moves nothing; agents ask each other for promises; the command line tool only looks, since people act
 * through operations.
 */
export const ACCESS = {
  state: ['operator', 'cluster-manager', 'agent', 'cli'],
  task: ['cluster-manager', 'cli'],
  install: ['cluster-manager'],
  start: ['cluster-manager'],
  promote: ['cluster-manager'],
  demote: ['cluster-manager'],
  stop: ['cluster-manager'],
  restart: ['cluster-manager'],
  resume: ['cluster-manager'],
  prepare: ['cluster-manager'],
  quorum: ['cluster-manager'],
  checkpoint: ['cluster-manager'],
  verify: ['cluster-manager'],
  promises: ['agent'],
  beats: ['cluster-manager'],
  settings: ['cluster-manager'],
  slots: ['cluster-manager'],
  account: ['operator'],
  database: ['operator'],
} as const satisfies Record<string, readonly Part[]>;

export type CallName = keyof typeof ACCESS;

export const mayCall = (part: Part, call: CallName): boolean => (ACCESS[call] as readonly Part[]).includes(part);
