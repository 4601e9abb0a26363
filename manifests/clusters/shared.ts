import { Chart } from 'cdk8s';
import type { Construct } from 'constructs';
import type { IPersistentVolumeClaim } from 'kubernetes-models/v1';
import { MpdCluster } from '../kinds/mpd-cluster.ts';
import { manifest } from '../object.ts';

const CLAIM = 'shared-data';

/**
 * Instances over one file system. With `dbType: postgresql` the others stand ready and serve no reads; with `polardb`
 * (leave dbType out) they do. The claim is yours: it is made here once, and no cluster ever deletes it.
 */
export class SharedChart extends Chart {
  constructor(scope: Construct, id: string) {
    super(scope, id, { disableResourceNameHashes: true, namespace: 'default' });
    const claim: IPersistentVolumeClaim = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: CLAIM },
      // Needs a StorageClass with ReadWriteMany file systems (NFS, CephFS, a cluster file system on a SAN).
      spec: { accessModes: ['ReadWriteMany'], resources: { requests: { storage: '10Gi' } } },
    };
    manifest(this, claim);
    new MpdCluster(this, 'shared', {
      dbType: 'postgresql',
      dbClusterType: 'share',
      followerNum: 1,
      classInfo: { className: 'polar.o.x1.small' },
      shareStore: { sharePvcName: CLAIM },
    });
  }
}
