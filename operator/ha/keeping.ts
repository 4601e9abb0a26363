import type { HeardReport } from './evidence.ts';
import { isSameIncarnation, type Incarnation } from './incarnation.ts';
import { act, wait, type Policy, type Said } from './said.ts';
import { isFresh, isServing, outcomeOf, reportIn, type Seen } from './sight.ts';
import { stricterSetting } from './staging.ts';
import type { CommandOutcome } from './view.ts';

/** From the grant to a verified and published RW. */
export const keeping: readonly Policy[] = [
  { name: 'PromoteHolder', say: promote },
  { name: 'PublishHolder', say: publish },
];

/** The holder's own word of late; silence and failures were decided about before. */
export function holderReport(view: Seen): HeardReport | undefined {
  const { holder } = view.record;
  const report = holder && reportIn(view, holder);
  return report && isFresh(view, report) ? report : undefined;
}

function promote(view: Seen): Said | undefined {
  const report = holderReport(view);
  if (!report || isServing(report)) return undefined;
  const staged = stricterSetting(view, view.record, report);
  if (staged && outcomeOf(view, staged)?.state !== 'done') {
    return { ...act(staged), ...wait('EngineStarting', 'the new RW takes its setting of synchronous replication') };
  }
  return onTheWay(report) ?? startAsRw(report);
}

const startAsRw = ({ incarnation: on }: HeardReport): Said => ({
  ...act({ do: 'promote', on }),
  ...wait('EngineStarting', `instance ${on.instanceId} is promoted`),
});

/** An engine that is up or comes up as RW is not commanded again. */
function onTheWay({ engine, incarnation: { instanceId } }: HeardReport): Said | undefined {
  if (engine.role !== 'rw') return undefined;
  if (engine.state === 'stopping') return wait('EngineStopping', `the engine of instance ${instanceId} is stopping`);
  const isComing = engine.state === 'starting' || engine.state === 'running';
  return isComing ? wait('EngineStarting', `instance ${instanceId} does not accept writes yet`) : undefined;
}

/** A full disk, or a lock that forbids writes, is no failure of the engine (protocol, Moves: Probe). */
const SOUND_SQLSTATES = ['53100', '25006'];

/**
 * too_many_connections: clients hold all that the probe, which is no superuser, may have. They would for good, and nobody
 * would ever write, so the engine's own word that it takes writes (over a connection that is reserved) and the
 * proof of its commits have to do.
 */
const FULL_SQLSTATE = '53300';

/**
 * Only after a write went through, and commits are proven to wait as is recorded: one write of the endpoint moves the
 * traffic.
 */
function publish(view: Seen): Said | undefined {
  const report = holderReport(view);
  if (!report || (view.published && isSameIncarnation(report.incarnation, view.published))) return undefined;
  const { incarnation: on } = report;
  const outcome = outcomeOf(view, { do: 'verify', on });
  if (SOUND_SQLSTATES.includes(outcome?.code ?? '')) return act({ do: 'publish', on });
  if (!takesWrites(report, outcome)) return { ...act({ do: 'verify', on }), ...unverified(on, outcome) };
  return isProven(view, report) ? act({ do: 'publish', on }) : { ...proof(view, report), ...unproven(on) };
}

const takesWrites = (report: HeardReport, outcome: CommandOutcome | undefined): boolean =>
  outcome?.state === 'done' || (outcome?.code === FULL_SQLSTATE && isServing(report));

/** A setting that is stricter than the record has a later number, and is proven in its turn. */
const isProven = ({ record: { k, generation } }: Seen, { quorum }: HeardReport): boolean =>
  k === 0 || (quorum?.isInEffect === true && quorum.generation >= generation);

/** A promotion ends with the proof; it is asked for anew when that came to nothing. */
function proof({ record: { members, k, generation } }: Seen, { incarnation: on, task }: HeardReport): Said {
  if (task?.state === 'running') return {};
  return act({ do: 'quorum', on, generation, members: members.map(it => it.incarnation), k });
}

const unproven = ({ instanceId }: Incarnation): Said =>
  wait('EngineStarting', `instance ${instanceId}: its commits are not proven to wait for other instances yet`);

function unverified({ instanceId }: Incarnation, outcome: CommandOutcome | undefined): Said {
  if (outcome?.state !== 'failed')
    return wait('EngineStarting', `instance ${instanceId}: its first write is not through yet`);
  return wait('WriteFails', `instance ${instanceId}: ${outcome.message ?? 'its first write failed'}`);
}
