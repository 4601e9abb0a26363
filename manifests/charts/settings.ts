import { Chart } from 'cdk8s';
import type { Construct } from 'constructs';
import type { IConfigMap } from 'kubernetes-models/v1';
import { INSTALLED } from '../names.ts';
import { manifest } from '../object.ts';
import type { Site } from '../schema.ts';
import { settingsMaps } from '../settings/maps.ts';

/** The original's ConfigMaps: network, ports, classes, versions, parameter templates. */
export class SettingsChart extends Chart {
  constructor(scope: Construct, id: string, site: Site) {
    super(scope, id, { disableResourceNameHashes: true });
    for (const { name, labels, annotations, data } of settingsMaps(site)) {
      const map: IConfigMap = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name, namespace: site.settingsNamespace, labels: { ...INSTALLED, ...labels }, annotations },
        data,
      };
      manifest(this, map);
    }
  }
}
