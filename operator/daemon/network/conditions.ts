import { HOST_CONDITION } from '../../model/host.ts';
import type { HostConditionUpdate } from '../conditions.ts';
import type { AgedFact } from '../facts.ts';
import type { LinkState, NetworkFact } from './fact.ts';

/** A fact that is older says nothing of this moment, ms: ten periods of the loop. */
const STALE_MS = 30_000;
/** The original's word for an address that nobody knows. */
const NO_ADDRESS = '0.0.0.0';

export interface NetworkConditionsView {
  /** As the settings name it. */
  card: string;
  network: AgedFact<'network'> | undefined;
  /** Why the newest look failed. */
  error: string | undefined;
  /** Messages of conditions as they stand on the node, by type. */
  told: (type: string) => { reason?: string; message?: string } | undefined;
  isOobOn: boolean;
}

/** The original's conditions, in its words where it had some. Addresses stand in the message: that is its form. */
export function networkConditions(given: NetworkConditionsView): HostConditionUpdate[] {
  const { network } = given;
  const fact = network && network.ageMs <= STALE_MS ? network.fact : undefined;
  // Another card is looked at in a moment: until then what is known of the former one holds.
  const view = { ...given, card: fact?.card ?? given.card };
  return [linkCondition(view, fact), ipCondition(view, fact), ...oobCondition(view, fact)];
}

const LINK: Readonly<Record<LinkState, { status: 'True' | 'False'; reason: string }>> = {
  up: { status: 'False', reason: 'StateUP' },
  down: { status: 'True', reason: 'StateDown' },
  unknown: { status: 'True', reason: 'StateUnKnown' },
  lowerLayerDown: { status: 'True', reason: 'LowerLayerDown' },
  absent: { status: 'True', reason: 'CardAbsent' },
};

function linkCondition({ error, card }: NetworkConditionsView, fact: NetworkFact | undefined): HostConditionUpdate {
  const type = HOST_CONDITION.clientNetworkUnavailable;
  if (!fact) return { type, status: 'Unknown', reason: 'ProbeFailed', message: `${card}: ${error ?? 'not seen yet'}` };
  const { status, reason } = LINK[fact.state];
  const below = Object.entries(fact.lower).filter(([, state]) => state !== 'up');
  const why =
    fact.state === 'lowerLayerDown' && below.length > 0 ? `: ${below.map(([name]) => name).join(', ')} down` : '';
  return { type, status, reason, message: `${card} ${reason}${why}` };
}

function ipCondition({ card, told }: NetworkConditionsView, fact: NetworkFact | undefined): HostConditionUpdate {
  const type = HOST_CONDITION.clientIp;
  if (fact?.clientIp !== undefined) return { type, status: 'True', reason: card, message: fact.clientIp };
  const last = told(type);
  const message = last?.reason === card ? (last.message ?? NO_ADDRESS) : NO_ADDRESS;
  return { type, status: fact ? 'False' : 'Unknown', reason: card, message };
}

function oobCondition({ isOobOn, told }: NetworkConditionsView, fact: NetworkFact | undefined): HostConditionUpdate[] {
  const type = HOST_CONDITION.oobIp;
  if (!isOobOn || !fact?.oob) return [];
  if ('ip' in fact.oob) return [{ type, status: 'True', reason: 'PowerOn', message: fact.oob.ip }];
  return [{ type, status: 'False', reason: `error: ${fact.oob.error}`, message: told(type)?.message ?? NO_ADDRESS }];
}
