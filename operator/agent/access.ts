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
 * Who may make which call. The cluster manager moves roles and replication and never opens data; agents ask each other
 * for promises; the command line tool only looks, since people act through operations.
 */
export const ACCESS = {
  state: ['operator', 'cluster-manager', 'agent', 'cli'],
  task: ['operator', 'cluster-manager', 'cli'],
  install: ['operator', 'cluster-manager'],
  start: ['operator', 'cluster-manager'],
  promote: ['operator', 'cluster-manager'],
  demote: ['operator', 'cluster-manager'],
  stop: ['operator', 'cluster-manager'],
  restart: ['operator', 'cluster-manager'],
  resume: ['cluster-manager'],
  prepare: ['cluster-manager'],
  quorum: ['cluster-manager'],
  checkpoint: ['cluster-manager'],
  verify: ['cluster-manager'],
  promises: ['agent'],
  beats: ['cluster-manager'],
  settings: ['operator', 'cluster-manager'],
  slots: ['operator', 'cluster-manager'],
  account: ['operator'],
  database: ['operator'],
} as const satisfies Record<string, readonly Part[]>;

export type CallName = keyof typeof ACCESS;

export const mayCall = (part: Part, call: CallName): boolean => (ACCESS[call] as readonly Part[]).includes(part);
