import { Chart } from 'cdk8s';
import type { Construct } from 'constructs';
import { MpdCluster } from '../kinds/mpd-cluster.ts';

/** What `npm run quickstart` makes: one RW and two ROs of stock PostgreSQL, a volume each, on the pod network. */
export class QuickstartChart extends Chart {
  constructor(scope: Construct, id: string) {
    super(scope, id, { disableResourceNameHashes: true, namespace: 'default' });
    new MpdCluster(this, 'quickstart', {
      dbType: 'postgresql',
      dbClusterType: 'local',
      followerNum: 2,
      classInfo: { className: 'polar.o.x1.small' },
      storage: { size: '1Gi' },
      terminationPolicy: 'Delete',
    });
  }
}
