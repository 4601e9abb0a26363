import { App, YamlOutputType } from 'cdk8s';
import { clusterManagerAccess } from './access/cluster-manager.ts';
import { daemonAccess } from './access/daemon.ts';
import { operatorAccess } from './access/operator.ts';
import { AccessChart } from './charts/access.ts';
import { AdmissionChart } from './charts/admission.ts';
import { ClusterManagerChart } from './charts/cluster-manager.ts';
import { CrdsChart } from './charts/crds.ts';
import { DaemonChart } from './charts/daemon.ts';
import { NamespaceChart } from './charts/namespace.ts';
import { OperatorChart } from './charts/operator.ts';
import { SettingsChart } from './charts/settings.ts';
import { OriginalChart } from './clusters/original.ts';
import { QuickstartChart } from './clusters/quickstart.ts';
import { SharedChart } from './clusters/shared.ts';
import type { Site } from './schema.ts';

/** The whole installation of a site, one file per chart, numbered in the order in which to apply them. */
export function installation(site: Site, outdir?: string): App {
  const app = newApp(outdir);
  const charts = [
    new CrdsChart(app, 'crds'),
    new NamespaceChart(app, 'namespace', site),
    new AccessChart(app, 'access', site, [
      ...[operatorAccess, clusterManagerAccess],
      ...(site.daemon.enabled ? [daemonAccess] : []),
    ]),
    new SettingsChart(app, 'settings', site),
    new AdmissionChart(app, 'admission', site),
    new OperatorChart(app, 'operator', site),
    new ClusterManagerChart(app, 'cluster-manager', site),
    ...(site.daemon.enabled ? [new DaemonChart(app, 'daemon', site)] : []),
  ];
  charts.reduce((before, chart) => {
    chart.addDependency(before);
    return chart;
  });
  return app;
}

/** Sample clusters, a file each. They stand apart: their kinds must be installed first. */
export function samples(outdir?: string): App {
  const app = newApp(outdir);
  new QuickstartChart(app, 'quickstart');
  new SharedChart(app, 'shared');
  new OriginalChart(app, 'original');
  return app;
}

const newApp = (outdir?: string): App =>
  new App({ outdir, outputFileExtension: '.yaml', yamlOutputType: YamlOutputType.FILE_PER_CHART });
