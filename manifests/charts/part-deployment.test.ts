import { App, Testing } from 'cdk8s';
import { expect } from 'chai';
import { checkSite } from '../schema.ts';
import { site } from '../site.ts';
import { ClusterManagerChart } from './cluster-manager.ts';
import { OperatorChart } from './operator.ts';

interface Deployment {
  spec: {
    selector: unknown;
    template: {
      metadata: { labels: Record<string, string> };
      spec: Record<string, unknown> & { containers: Record<string, unknown>[] };
    };
  };
}

const CHARTS = { operator: OperatorChart, 'cluster-manager': ClusterManagerChart };
type Part = keyof typeof CHARTS;

const deploymentOf = (part: Part, overrides: unknown = {}): Deployment =>
  (Testing.synth(new CHARTS[part](new App(), part, checkSite(site, overrides))) as Deployment[])[0]!;

const REQUESTS: Readonly<Record<Part, string>> = { operator: '50m', 'cluster-manager': '500m' };

for (const part of Object.keys(CHARTS) as Part[]) {
  describe(`${part} Deployment`, () => {
    const { spec } = deploymentOf(part);
    const pod = spec.template.spec;
    const container = pod.containers[0]!;
    const labels = { 'app.kubernetes.io/name': 'polardb-stack', 'app.kubernetes.io/component': part };

    // Each path that is patched in: cdk8s-plus drops in silence what its schema does not know.
    for (const [path, value] of [
      ['resources', { limits: { memory: '512Mi' }, requests: { cpu: REQUESTS[part], memory: '128Mi' } }],
      ['imagePullPolicy', 'IfNotPresent'],
    ] as const) {
      it(`has ${path}`, () => expect(container[path]).to.deep.equal(value));
    }

    it('is spread over nodes where there are several, and runs on one', () =>
      expect(pod['topologySpreadConstraints']).to.deep.equal([
        {
          maxSkew: 1,
          topologyKey: 'kubernetes.io/hostname',
          whenUnsatisfiable: 'ScheduleAnyway',
          labelSelector: { matchLabels: labels },
        },
      ]));

    it('has no zero value that the API server would not store', () => {
      expect(spec).not.to.have.property('minReadySeconds');
      expect(pod).not.to.have.property('hostNetwork');
    });

    it('selects by labels that never change', () => {
      expect(spec.selector).to.deep.equal({ matchLabels: labels });
      expect(Object.keys(spec.template.metadata.labels)).not.to.include('cdk8s.io/metadata.addr');
    });

    it('passes the restricted Pod Security Standard', () => {
      expect(pod['securityContext']).to.deep.include({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect(container['securityContext']).to.deep.include({
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
        privileged: false,
        readOnlyRootFilesystem: true,
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      for (const refused of ['hostNetwork', 'hostPID', 'hostIPC', 'volumes']) expect(pod).not.to.have.property(refused);
    });

    it('begins its program with its own name', () => expect(container['args']).to.have.property('0', part));

    it('names pull Secrets and watched namespaces only when the site does', () => {
      expect(pod).not.to.have.property('imagePullSecrets');
      const changed = deploymentOf(part, { imagePullSecrets: ['harbor'], watchNamespaces: ['shop', 'bank'] });
      const other = changed.spec.template.spec;
      expect(other['imagePullSecrets']).to.deep.equal([{ name: 'harbor' }]);
      expect(other.containers[0]!['args']).to.include('--watch-namespaces=shop,bank');
      expect(container['args']).not.to.include('--watch-namespaces=');
    });
  });
}

describe('priority', () => {
  const classOf = (part: Part): unknown => deploymentOf(part).spec.template.spec['priorityClassName'];

  it('is that of the system for the cluster manager, which failovers wait for', () =>
    expect(classOf('cluster-manager')).to.equal('system-cluster-critical'));
  it('is the usual one for the operator', () => expect(classOf('operator')).to.equal(undefined));
});
