import { RESOURCES } from '../../operator/kube/resources.ts';
import { killPostmaster } from '../../e2e/support/processes.ts';
import type { FailoverCase } from './failover-run.ts';

const killEngine: FailoverCase['fault'] = ({ rw }) => killPostmaster(rw);

const forceDelete: FailoverCase['fault'] = async ({ rw: { metadata } }, { place, trial }) => {
  const { name, namespace, uid } = metadata;
  await place.client.delete(RESOURCES.pods, { name, namespace }, { graceSeconds: 0 });
  await trial.successor(uid);
};

const switchOver: FailoverCase['fault'] = async ({ ros }, { database, operations }) => {
  const name = await operations.switchRw(database.instanceOf(ros[0]!));
  const { status } = await operations.ended(name);
  if (status?.phase !== 'Succeeded') throw new Error(`switchover ${status?.phase ?? ''}: ${status?.message ?? ''}`);
};

const loseNode: FailoverCase['fault'] = async ({ rw, node, load, faults }, { trial }) => {
  const mend = await faults.cutLink(node);
  await trial.successor(rw.metadata.uid);
  await load.writes();
  await mend();
};

const withoutOperator = true;

/** With a volume for each instance. */
export const LOCAL_CASES: readonly FailoverCase[] = [
  { name: 'engine killed', runs: 50, median: 0.5, worst: 1, fault: killEngine },
  { name: 'pod force-deleted', runs: 50, worst: 1.5, fault: forceDelete },
  { name: 'switchover', runs: 50, median: 0.7, worst: 1, isPlanned: true, fault: switchOver },
  { name: 'node lost', runs: 10, worst: 8, leader: 'elsewhere', fault: loseNode },
  { name: 'node lost with the leader', runs: 5, worst: 12, leader: 'beside', fault: loseNode },
  { name: 'engine killed, no operator', runs: 10, median: 0.5, worst: 1, withoutOperator, fault: killEngine },
  { name: 'pod force-deleted, no operator', runs: 10, worst: 1.5, withoutOperator, fault: forceDelete },
  {
    name: 'switchover, no operator',
    runs: 10,
    median: 0.7,
    worst: 1,
    isPlanned: true,
    withoutOperator,
    fault: switchOver,
  },
  { name: 'node lost, no operator', runs: 10, worst: 8, leader: 'elsewhere', withoutOperator, fault: loseNode },
];

/** On one volume, with stock PostgreSQL: nothing is promised of its times. */
export const SHARE_CASES: readonly FailoverCase[] = [
  { name: 'share: engine killed', runs: 10, fault: killEngine },
  { name: 'share: switchover', runs: 10, isPlanned: true, fault: switchOver },
  { name: 'share: node lost, afterExpiry', runs: 5, leader: 'elsewhere', fault: loseNode },
];
