import type { MPDClusterSpecInput } from '../../crds/mpdcluster.ts';
import { Database } from '../../e2e/support/database.ts';
import { eventually } from '../../e2e/support/eventually.ts';
import { FailoverTrial } from '../../e2e/support/failover.ts';
import { Operations } from '../../e2e/support/operations.ts';
import { StackPart } from '../../e2e/support/parts.ts';
import type { Place } from '../../e2e/support/place.ts';
import { readSwitches, type SwitchEntry } from '../../operator/failover/history.ts';
import { RESOURCES } from '../../operator/kube/resources.ts';
import { switchLog } from '../../operator/model/names.ts';
import { NAMESPACE, type Bench } from './bench-cluster.ts';

/** One cluster that has failovers, and what is needed to cause them. */
export interface FailoverPlace {
  place: Place;
  database: Database;
  trial: FailoverTrial;
  operations: Operations;
  operator: StackPart;
  manager: StackPart;
}

export async function failoverPlace(bench: Bench, name: string, spec: MPDClusterSpecInput): Promise<FailoverPlace> {
  const place: Place = { ...bench, eventually };
  const database = new Database({ namespace: NAMESPACE, name }, place);
  await database.create(spec);
  const { followerNum: members = 0, dbClusterType } = spec;
  const readsOnRos = dbClusterType !== 'share';
  const trial = new FailoverTrial(place, database, { members, readsOnRos });
  await trial.well();
  return {
    place,
    database,
    trial,
    operations: new Operations(place, database),
    operator: new StackPart(place, 'operator'),
    manager: new StackPart(place, 'cluster-manager'),
  };
}

/** What the cluster manager wrote down about the change of the RW that began this epoch; undefined when there was none. */
export async function switchOf({ place, database }: FailoverPlace, epoch: number): Promise<SwitchEntry | undefined> {
  const ref = { namespace: database.namespace, name: switchLog(database.name) };
  return readSwitches(await place.client.get(RESOURCES.configMaps, ref)).find(entry => entry.epoch === epoch);
}
