import { Chart } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import { INSTALLED } from '../names.ts';
import type { Site } from '../schema.ts';

/**
 * The namespace of our parts. What runs in it must pass the restricted Pod Security Standard, unless the daemon is among
 * it: a part that cares for hosts needs them. All others pass it all the same (a test looks at each).
 */
export class NamespaceChart extends Chart {
  constructor(scope: Construct, id: string, site: Site) {
    super(scope, id, { disableResourceNameHashes: true });
    const standard = site.daemon.enabled ? 'privileged' : 'restricted';
    const level = (mode: string) => [`pod-security.kubernetes.io/${mode}`, standard] as const;
    new kplus.Namespace(this, 'system', {
      metadata: {
        name: site.systemNamespace,
        labels: { ...INSTALLED, ...Object.fromEntries(['enforce', 'audit', 'warn'].map(level)) },
      },
    });
  }
}
