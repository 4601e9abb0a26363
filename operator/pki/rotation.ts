import type { X509Certificate } from 'node:crypto';
import type { KeyedCertificate } from './keys.ts';
import { isExpiring, isIssuedBy, readCertificate } from './renewal.ts';
import { bundleOf, type CaStore, type TlsFiles } from './secret.ts';

/**
 * Rotation of the authority without a moment in which two of our programs refuse each other: the next one is trusted
 * everywhere before it signs, the previous one is trusted until all that it signed has gone.
 *   introduce -> (all bundles hold it) -> settle -> switch -> (all leafs are of it) -> settle -> retire
 * `settle` notes that the Secrets are as they should be, from when on mounted copies get their time to follow.
 */
export interface RotationView {
  /** Undefined when there is no authority yet. */
  store?: CaStore;
  /** Every certificate that is in use. */
  leafs: readonly TlsFiles[];
  /** A person asks for a new authority though the present one is good. */
  requested: boolean;
  now: Date;
}

export type RotationStep = 'create' | 'introduce' | 'settle' | 'switch' | 'retire' | 'keep';
export interface RotationVerdict {
  step: RotationStep;
  message: string;
}

/** How long a change of a mounted Secret may take to reach the program that reads it (the kubelet: under 2 minutes). */
export const SETTLE_MS = 60 * 60 * 1000;

/** The next step of a rotation, or `keep` with what it waits for. */
export function decideRotation(view: RotationView): RotationVerdict {
  const { store } = view;
  if (!store) return { step: 'create', message: 'there is no authority yet' };
  const current = readCertificate(store.current.certificate);
  if (!current) return { step: 'create', message: 'the authority cannot be read' };
  if (store.next) return decideSwitch(view, store);
  if (store.previous) return decideRetire(view, store, current);
  if (view.requested) return { step: 'introduce', message: 'a new authority was asked for' };
  if (isExpiring(current, view.now)) return { step: 'introduce', message: 'less than a third of its life is left' };
  return keep('it is good');
}

/** The store after `introduce`. */
export const introduced = ({ current }: CaStore, next: KeyedCertificate): CaStore => ({ current, next });

/** The store after `settle`. */
export const settled = (store: CaStore, now: Date): CaStore => ({ ...store, settledAt: now.toISOString() });

/** The store after `switch`: the next authority signs, the present one stays trusted. */
export const switched = ({ current, next }: CaStore): CaStore => {
  if (!next) throw new Error('there is no next authority');
  return { current: next, previous: current.certificate };
};

/** The store after `retire`. */
export const retired = ({ current }: CaStore): CaStore => ({ current });

const keep = (message: string): RotationVerdict => ({ step: 'keep', message });

function decideSwitch({ leafs, now }: RotationView, store: CaStore): RotationVerdict {
  const behind = leafs.filter(it => it.bundle !== bundleOf(store)).length;
  if (behind > 0) return keep(`${behind} programs have not been given the next authority yet`);
  const done: RotationVerdict = { step: 'switch', message: 'the next authority is trusted everywhere' };
  return afterSettling(store, now, done);
}

function decideRetire({ leafs, now }: RotationView, store: CaStore, current: X509Certificate): RotationVerdict {
  const certificates = leafs.map(it => readCertificate(it.certificate));
  const behind = certificates.filter(it => !it || !isIssuedBy(it, current)).length;
  if (behind > 0) return keep(`${behind} certificates are of the previous authority`);
  return afterSettling(store, now, { step: 'retire', message: 'all certificates are of the present authority' });
}

function afterSettling({ settledAt }: CaStore, now: Date, done: RotationVerdict): RotationVerdict {
  if (!settledAt) return { step: 'settle', message: 'all Secrets are up to date, their mounted copies follow' };
  const waits = now.getTime() < Date.parse(settledAt) + SETTLE_MS;
  return waits ? keep('mounted copies of the Secrets get an hour to follow') : done;
}
