import { Chart } from 'cdk8s';
import type { Construct } from 'constructs';
import { MpdCluster } from '../kinds/mpd-cluster.ts';

/** Put the identifier of your LUN here, as the original's manual says. */
const WWID = '32ze34dwj8kypf9y1';

/** The sample of the original PolarDB Stack Operator: PolarDB over a shared volume, on the host network. */
export class OriginalChart extends Chart {
  constructor(scope: Construct, id: string) {
    super(scope, id, { disableResourceNameHashes: true, namespace: 'default' });
    new MpdCluster(this, 'mpdcluster-sample', {
      operatorName: 'polar-mpd',
      dbClusterType: 'share',
      followerNum: 2,
      classInfo: { className: 'polar.o.x4.medium', cpu: '2000m', memory: '17Gi' },
      classInfoModifyTo: { className: '' },
      versionCfg: { versionName: 'image-open' },
      netCfg: { engineStartPort: 5790 },
      shareStore: {
        drive: 'pvc',
        sharePvcNamespace: 'default',
        sharePvcName: `pvc-${WWID}`,
        diskQuota: '300000',
        volumeId: WWID,
        volumeType: 'multipath',
      },
    });
  }
}
