import type { Command } from './action.ts';
import { mayInitialize } from './boot.ts';
import { verdictAsHolder } from './candidates.ts';
import { choose, longestQuorumWait, type Chosen } from './choose.ts';
import type { HeardReport } from './evidence.ts';
import { climbFor } from './fence.ts';
import { formatIncarnation, isSameIncarnation } from './incarnation.ts';
import { keepProof, preparing } from './proving.ts';
import { stricterSetting } from './staging.ts';
import { grant } from './record.ts';
import { act, wait, write, type Policy, type Said } from './said.ts';
import { alive, type Seen } from './sight.ts';

/** Nobody holds the group, and whoever did is proven stopped. */
export const granting: readonly Policy[] = [
  { name: 'Rest', say: rest },
  { name: 'GrantCandidate', say: grantCandidate },
];

function rest(view: Seen): Said | undefined {
  if (view.record.holder || view.wanted === 'running') return undefined;
  const kept = keepProof(view);
  if (kept) return kept;
  return act(...(view.published ? [{ do: 'withdraw' } as const] : []));
}

function grantCandidate(view: Seen): Said | undefined {
  if (view.record.holder || view.wanted === 'stopped') return undefined;
  const choice = choose(view);
  if (!('chosen' in choice)) return notYet(view, wait(choice.reason, choice.message), choice.wakeAt);
  const objection = objectionTo(view, choice.chosen);
  return objection ? notYet(view, objection) : grantTo(view, choice);
}

/** Members are asked meanwhile; proof that a grant will not carry at once is written down. */
function notYet(view: Seen, said: Said, wakeAt = Infinity): Said {
  const isSoon = wakeAt - view.now <= longestQuorumWait(view.options);
  const kept = isSoon ? [] : (keepProof(view)?.actions ?? []);
  const actions = [...kept, ...(said.actions ?? []), ...preparing(view), ...firmer(view)];
  return { ...said, actions, ...(wakeAt < Infinity && { wakeAt }) };
}

/** On expiry alone few may be granted: a former holder that answers again is asked for its own proof. */
function firmer(view: Seen): Command[] {
  const { former, fence } = view.record;
  if (!former || fence?.rung !== 4) return [];
  const answers = alive(view).some(it => isSameIncarnation(it.incarnation, former.incarnation));
  return answers ? [{ do: 'demote', on: former.incarnation, mode: 'kill' }] : [];
}

/** What keeps the chosen one from being granted; an empty volume of a new group is initialized first. */
function objectionTo(view: Seen, chosen: HeardReport): Said | undefined {
  const { incarnation, engine, volume } = chosen;
  const name = `instance ${incarnation.instanceId}`;
  if (engine.problem !== undefined) return wait('EngineUnfit', `${name}: ${engine.problem}`);
  if (mayInitialize(view.record, volume)) return act({ do: 'initialize', on: incarnation });
  if (!chosen.container) {
    return wait('ContainerUnknown', `the kubelet has not reported the container of ${name}`);
  }
  const verdict = verdictAsHolder(view, chosen);
  return verdict.run === 'rw' ? undefined : wait('VolumeUnusable', `${name}: ${verdict.message}`);
}

/** What the new RW needs before its promotion is staged beside the grant. */
function grantTo(view: Seen, { chosen, members, k, loss }: Chosen): Said {
  const { record, recorded, options } = view;
  const climbed = record.former && !record.fence ? climbFor(view, recorded) : undefined;
  const request = {
    to: chosen.incarnation,
    note: { ...chosen.container!, ttlMs: options.ttlMs },
    members,
    k,
    takenGeneration: chosen.quorum?.generation,
    ...(climbed?.proven && { fence: climbed.fence }),
  };
  const transition = grant(record, request);
  const message = `${formatIncarnation(chosen.incarnation)} becomes RW`;
  const said = write('grant', transition, { message, ...(loss !== undefined && { loss }) });
  const staged = transition.ok ? stricterSetting(view, transition.record, chosen) : undefined;
  return staged ? { ...said, actions: [...(said.actions ?? []), staged] } : said;
}
