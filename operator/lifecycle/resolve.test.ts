import { expect } from 'chai';
import type { MPDClusterSpecInput, MPDClusterStatus } from '../../crds/mpdcluster.ts';
import { removalPlan, resolvePlan, type ResolveRequest } from './resolve.ts';
import { clusterOf, localSpec, siteOf } from './testing/fixtures.ts';

const request = (spec: MPDClusterSpecInput, status?: MPDClusterStatus, more: Partial<ResolveRequest> = {}) => ({
  cluster: clusterOf(spec, status),
  site: siteOf(),
  stackImage: 'stack:1',
  pullPolicy: 'IfNotPresent' as const,
  sharedClaim: {},
  ...more,
});
const shareSpec: MPDClusterSpecInput = {
  dbType: 'postgresql',
  dbClusterType: 'share',
  classInfo: { className: 'small' },
  shareStore: { sharePvcName: 'pvc-1' },
};

describe('plan of a cluster', () => {
  it('takes class, version and parameters of the site', () => {
    const plan = resolvePlan(request(localSpec));
    expect(plan).to.deep.include({
      engine: 'postgresql',
      topology: 'local',
      hostNetwork: false,
      runAs: { user: 999, group: 999 },
      volume: { kind: 'own', size: '10Gi' },
      resources: { limits: { cpu: '1', memory: '512Mi' }, requests: { cpu: '250m', memory: '256Mi' } },
    });
    expect(plan.images).to.deep.include({ engine: 'postgresql:15', versionName: 'pg15' });
    expect(plan.settings).to.include({ shared_buffers: '64MB', work_mem: '4MB', huge_pages: 'off' });
  });

  it("runs an image of one's own as the usual user of the engine", () => {
    const plan = resolvePlan(request({ ...localSpec, versionCfg: { engineImage: 'mine:1' } }));
    expect(plan.images).to.include({ engine: 'mine:1', versionName: '' });
    expect(plan.runAs).to.deep.equal({ user: 999, group: 999 });
  });

  it('overrides single resources of the class', () => {
    const plan = resolvePlan(request({ ...localSpec, resources: { limits: { memory: '2Gi' } } }));
    expect(plan.resources.limits).to.deep.equal({ cpu: '1', memory: '2Gi' });
  });

  for (const [what, resources] of [
    ['a limit below what the class asks for', { limits: { memory: '128Mi' } }],
    ['more asked for than the class allows', { requests: { cpu: '2' } }],
    ['huge pages that differ', { limits: { 'hugepages-2Mi': '64Mi' }, requests: { 'hugepages-2Mi': '32Mi' } }],
  ] as const) {
    it(`refuses resources that no pod may have: ${what}`, () => {
      expect(() => resolvePlan(request({ ...localSpec, resources }))).to.throw(/^spec.resources/);
    });
  }

  it('takes huge pages for both, said once, and lets the engine use them', () => {
    const plan = resolvePlan(request({ ...localSpec, resources: { limits: { 'hugepages-2Mi': '64Mi' } } }));
    expect(plan.resources.requests).to.include({ 'hugepages-2Mi': '64Mi' });
    expect(plan.settings).to.include({ huge_pages: 'on' });
  });

  it('takes no registry for the version of an image', () => {
    const engineImage = 'registry-11.example.com:11.0/polardb:15.8';
    const plan = resolvePlan(request({ ...localSpec, versionCfg: { engineImage } }));
    expect(plan.images.engine).to.equal(engineImage);
  });

  it('keeps what runs: image, class and parameters in force', () => {
    const status: MPDClusterStatus = {
      versionCfg: { versionName: 'pg15', engineImage: 'postgresql:15-old' },
      insClassInfo: { className: 'small' },
    };
    const plan = resolvePlan(request(localSpec, status, { running: { work_mem: '8MB' } }));
    expect(plan.images.engine).to.equal('postgresql:15-old');
    expect(plan.settings).to.deep.equal({ work_mem: '8MB' });
  });

  it('lists instances with the RW first, then by id', () => {
    const dbInstanceStatus = {
      1006: { insType: 'ro', physicalInsId: '1005' },
      1004: { insType: 'ro', physicalInsId: '1003' },
      1008: { insType: 'rw', physicalInsId: '1007' },
    } as const;
    const { instances } = resolvePlan(request(localSpec, { dbInstanceStatus }));
    expect(instances.map(it => it.podName)).to.deep.equal(['orders-1007-1008', 'orders-1003-1004', 'orders-1005-1006']);
  });

  const refused: [string, MPDClusterSpecInput, Partial<ResolveRequest>, string][] = [
    ['unknown class', { ...localSpec, classInfo: { className: 'huge' } }, {}, 'spec.classInfo.className'],
    ['unknown version', { ...localSpec, versionCfg: { versionName: 'pg99' } }, {}, 'spec.versionCfg.versionName'],
    ['PolarDB 11', { ...localSpec, dbType: 'polardb' }, {}, 'spec.versionCfg'],
    ['port out of range', { ...localSpec, netCfg: { engineStartPort: 9999 } }, {}, 'spec.netCfg.engineStartPort'],
    ['missing shared claim', shareSpec, { sharedClaim: undefined }, 'spec.shareStore.sharePvcName'],
    ['block claim', shareSpec, { sharedClaim: { volumeMode: 'Block' } }, 'spec.shareStore.sharePvcName'],
  ];
  for (const [what, spec, more, field] of refused) {
    it(`refuses: ${what}`, () =>
      expect(() => resolvePlan(request(spec, {}, more)))
        .to.throw()
        .with.property('field', field));
  }

  for (const [what, lost] of [
    ['class', { classes: new Map() }],
    ['version', { versions: new Map() }],
  ] as const) {
    it(`keeps what runs when the site has lost its ${what}, and says that no pod can be made`, () => {
      const site = { ...siteOf(), ...lost };
      const status: MPDClusterStatus = { logicId: '1000', dbInstanceStatus: { 1002: { insType: 'rw' } } };
      const plan = resolvePlan(request(localSpec, status, { site, running: { work_mem: '8MB' } }));
      expect(plan.instances).to.have.length(1);
      expect(plan.settings).to.deep.equal({ work_mem: '8MB' });
      expect(plan.unresolved).to.contain(what);
      expect(() => resolvePlan(request(localSpec, {}, { site }))).to.throw();
    });
  }

  it('keeps a port that was in range when it was taken', () => {
    const spec = { ...localSpec, netCfg: { engineStartPort: 9999 } };
    expect(resolvePlan(request(spec, { logicId: '1000' })).unresolved).to.equal(undefined);
  });

  it('can always be taken away, whatever has become of its class', () => {
    const spec = { ...localSpec, classInfo: { className: 'gone' }, terminationPolicy: 'Delete' } as const;
    expect(removalPlan(clusterOf(spec))).to.deep.include({ name: 'orders', terminationPolicy: 'Delete' });
  });
});
