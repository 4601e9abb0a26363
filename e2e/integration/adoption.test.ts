import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { KINDS } from '../../crds/definitions.ts';
import type { Structural } from '../../crds/structural.ts';
import { ORIGINAL_SAMPLE, ORIGINAL_STATUS } from '../../crds/testing/cluster-cases.ts';
import { controlPlane } from '../support/control-plane.ts';
import { eventually } from '../support/eventually.ts';

const run = promisify(execFile);
/** A group of its own: other tests go on with ours meanwhile. */
const group = `adoption-${process.pid}.example`;
const crd = structuredClone(KINDS[0]!);
crd.metadata.name = `mpdclusters.${group}`;
crd.spec.group = group;
// Short names are shared by all groups.
crd.spec.names.shortNames = [];

/** Types without a rule, as the original had them. */
function withoutRules(schema: Structural): Structural {
  const { type, properties, items, additionalProperties } = schema;
  return {
    ...(type ? { type } : { 'x-kubernetes-int-or-string': true }),
    ...(items && { items: withoutRules(items) }),
    ...(additionalProperties && { additionalProperties: withoutRules(additionalProperties) }),
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, withoutRules(field)])),
    }),
  };
}

function originalCrd(): object {
  const original = structuredClone(crd);
  const { schema } = original.spec.versions[0];
  schema.openAPIV3Schema = withoutRules(schema.openAPIV3Schema);
  return original;
}

const cluster = (name: string): object => ({
  apiVersion: `${group}/v1`,
  kind: 'MPDCluster',
  metadata: { name, namespace: 'default', finalizers: ['mpd.finalizers.polardb.aliyun.com/test'] },
  spec: {
    ...ORIGINAL_SAMPLE,
    dbType: 'PolarDB-O',
    followerNum: 30,
    dbProxyInfo: { enabled: true, name: 'p', resourceType: 'stand', consistencyLevel: 0 },
  },
});

const name = 'a-cluster-of-the-original.whose-name-is-much-longer-than-ours-may-be';

describe('a running cluster of the original, once our CRD is installed', function () {
  this.timeout(60_000);
  let kubectl: (input: object | undefined, ...args: string[]) => Promise<string>;

  const patch = (what: object, ...more: string[]): Promise<string> =>
    kubectl(undefined, 'patch', `mpdcluster.${group}`, name, '--type=merge', '-p', JSON.stringify(what), ...more);

  before(async function () {
    this.timeout(900_000);
    const plane = await controlPlane();
    const env = { ...process.env, KUBECONFIG: plane.kubeconfig };
    kubectl = async (input, ...args) => {
      const call = run(plane.kubectl, args, { env });
      call.child.stdin?.end(input === undefined ? '' : JSON.stringify(input));
      return (await call).stdout;
    };
    await kubectl(originalCrd(), 'apply', '-f', '-');
    await kubectl(undefined, 'wait', '--for=condition=Established', `crd/${crd.metadata.name}`);
    await kubectl(cluster(name), 'apply', '-f', '-');
    await kubectl(crd, 'apply', '-f', '-');
    await untilNewOnesAreRefused();
  });

  after(async () => {
    await patch({ metadata: { finalizers: [] } });
    await kubectl(undefined, 'delete', 'crd', crd.metadata.name);
  });

  /** The API server takes up a changed CRD within seconds of its own choosing. */
  async function untilNewOnesAreRefused(): Promise<void> {
    const isRefused = (): Promise<true | undefined> =>
      kubectl(cluster('another'), 'create', '--dry-run=server', '-f', '-').then(
        () => undefined,
        () => true,
      );
    await eventually('the API server takes up the new CRD', isRefused, { deadlineMs: 30_000, everyMs: 100 });
  }

  it('can be told that it needs adoption', async () => {
    const condition = {
      type: 'AdoptionRequired',
      status: 'True',
      reason: 'Original',
      message: '',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    };
    await patch({ status: { ...ORIGINAL_STATUS, conditions: [condition] } }, '--subresource=status');
    const path = '{.status.conditions[0].type}';
    expect(await kubectl(undefined, 'get', `mpdcluster.${group}`, name, '-o', `jsonpath=${path}`)).to.equal(
      'AdoptionRequired',
    );
  });

  it('can still be changed by the original operator', async () => {
    expect(await patch({ spec: { versionCfg: { engineImage: 'e' } } })).to.match(/ patched\n$/);
    expect(await patch({ spec: { classInfoModifyTo: { className: 'polar.o.x4.large' } } })).to.match(/ patched\n$/);
    expect(await patch({ metadata: { annotations: { migrate: '1002|dbm-02' } } })).to.match(/ patched\n$/);
  });

  it('is not changed to what we refuse', async () => {
    const said = await patch({ spec: { followerNum: 31 } }).catch((error: unknown) => String(error));
    expect(said).to.contain('spec.followerNum');
  });
});
