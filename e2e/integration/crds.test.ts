import { ApiException, CustomObjectsApi, KubeConfig } from '@kubernetes/client-node';
import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { KINDS } from '../../crds/definitions.ts';
import { deletionProtection } from '../../crds/protection.ts';
import * as clusters from '../../crds/testing/cluster-cases.ts';
import * as operations from '../../crds/testing/operation-cases.ts';
import { DEFAULT_OPTIONS } from '../../operator/ha/options.ts';
import { API_GROUP, API_VERSION } from '../../operator/model/names.ts';
import { controlPlane } from '../support/control-plane.ts';

const run = promisify(execFile);
const namespace = `crds-${process.pid}`;
const installation = { apiVersion: 'v1', kind: 'List', items: [...KINDS, ...deletionProtection] };

let api: CustomObjectsApi;
let folder: string;
let kubectl: (...args: string[]) => Promise<string>;

interface CustomObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; resourceVersion?: string };
  spec: Record<string, unknown>;
  status?: Record<string, unknown>;
}

/** One of our kinds, as it is written and asked for. */
class Kind {
  readonly #kind: string;
  readonly #at: { group: string; version: string; namespace: string; plural: string };

  constructor(kind: string) {
    this.#kind = kind;
    this.#at = { group: API_GROUP, version: API_VERSION, namespace, plural: `${kind.toLowerCase()}s` };
  }

  body(name: string, spec: unknown): CustomObject {
    const json = JSON.parse(JSON.stringify(spec)) as Record<string, unknown>;
    return { apiVersion: `${API_GROUP}/${API_VERSION}`, kind: this.#kind, metadata: { name }, spec: json };
  }

  /** Creates strictly: an unknown field is an error. */
  async create(name: string, spec: unknown, dryRun?: 'All'): Promise<CustomObject> {
    const body = this.body(name, spec);
    return (await api.createNamespacedCustomObject({
      ...this.#at,
      body,
      dryRun,
      fieldValidation: 'Strict',
    })) as CustomObject;
  }

  async edit(from: CustomObject, spec: unknown): Promise<CustomObject> {
    const body = { ...this.body(from.metadata.name, spec), metadata: from.metadata };
    const request = { ...this.#at, name: from.metadata.name, body, dryRun: 'All', fieldValidation: 'Strict' };
    return (await api.replaceNamespacedCustomObject(request)) as CustomObject;
  }

  async setStatus(object: CustomObject, status: object): Promise<CustomObject> {
    const body = { ...object, status };
    const request = { ...this.#at, name: object.metadata.name, body, fieldValidation: 'Strict' };
    return (await api.replaceNamespacedCustomObjectStatus(request)) as CustomObject;
  }

  async scale(name: string): Promise<{ spec: unknown; status: unknown }> {
    return (await api.getNamespacedCustomObjectScale({ ...this.#at, name })) as { spec: unknown; status: unknown };
  }

  async delete(name: string): Promise<void> {
    await api.deleteNamespacedCustomObject({ ...this.#at, name });
  }
}

const cluster = new Kind('MPDCluster');
const operation = new Kind('MPDOperation');

/** What the API server says against it; undefined when it says nothing. */
async function objection(call: Promise<unknown>): Promise<string | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    if (error instanceof ApiException && [403, 422].includes(error.code)) return error.message;
    throw error;
  }
}

async function file(name: string, object: object): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, JSON.stringify(object));
  return path;
}

describe('CRDs on a real API server', function () {
  this.timeout(60_000);

  before(async function () {
    this.timeout(900_000);
    const plane = await controlPlane();
    folder = await mkdtemp(join(tmpdir(), 'crds-'));
    kubectl = async (...args) =>
      (await run(plane.kubectl, args, { env: { ...process.env, KUBECONFIG: plane.kubeconfig } })).stdout;
    const config = new KubeConfig();
    config.loadFromFile(plane.kubeconfig);
    api = config.makeApiClient(CustomObjectsApi);
    await kubectl('create', 'namespace', namespace);
    await kubectl('apply', '-f', await file('installation.json', installation));
    for (const { metadata } of KINDS) await kubectl('wait', '--for=condition=Established', `crd/${metadata.name}`);
  });

  after(async () => {
    await kubectl('delete', 'namespace', namespace, '--wait=false');
    await rm(folder, { recursive: true, force: true });
  });

  it('have no complaint against their schemas', async () => {
    for (const { metadata } of KINDS) {
      const conditions = await kubectl('get', 'crd', metadata.name, '-o', 'jsonpath={.status.conditions[*].type}');
      expect(conditions.split(' ')).to.not.include('NonStructuralSchema');
    }
  });

  it('are not changed by a second plain apply', async () => {
    const said = await kubectl('apply', '-f', join(folder, 'installation.json'));
    expect(said.trim().split('\n')).to.have.length(installation.items.length);
    for (const line of said.trim().split('\n')) expect(line).to.match(/ unchanged$/);
  });

  for (const [kind, { ACCEPTED, REFUSED, EDITS }] of [
    [cluster, clusters],
    [operation, operations],
  ] as const) {
    for (const [what, spec] of ACCEPTED) {
      it(`accept ${what}`, async () => expect(await objection(kind.create('orders', spec, 'All'))).to.equal(undefined));
    }

    for (const [what, field, spec] of REFUSED) {
      it(`refuse ${what}`, async () =>
        expect(await objection(kind.create('orders', spec, 'All'))).to.contain(`${field}: `));
    }

    EDITS.forEach(([what, from, to, blamed], index) => {
      it(`${blamed === undefined ? 'accept' : 'refuse'} an edit of ${what}`, async () => {
        const stored = await kind.create(`edit-${index}`, from);
        const said = await objection(kind.edit(stored, to));
        if (blamed === undefined) expect(said).to.equal(undefined);
        else expect(said).to.contain(`${blamed}: `);
      });
    });
  }

  for (const [name, accepted] of clusters.NAMES) {
    it(`${accepted ? 'accept' : 'refuse'} the name ${name}`, async () => {
      const said = await objection(cluster.create(name, clusters.LOCAL, 'All'));
      if (accepted) expect(said).to.equal(undefined);
      else expect(said).to.contain('metadata.name ');
    });
  }

  it('fill in what is left out', async () => {
    const { spec } = await cluster.create('defaults', clusters.LOCAL, 'All');
    expect(spec).to.deep.equal({
      ...clusters.LOCAL,
      operatorName: 'polar-mpd',
      dbClusterType: 'local',
      dbType: 'polardb',
      followerNum: 2,
      initDatabase: { name: 'app', owner: 'app' },
      ha: DEFAULT_OPTIONS,
      stopped: false,
      terminationPolicy: 'Retain',
      deletionProtection: false,
    });
  });

  it('take the sample of the original by plain apply, unchanged', async () => {
    const sample = await file('sample.json', cluster.body('mpdcluster-rwo', clusters.ORIGINAL_SAMPLE));
    expect(await kubectl('apply', '-n', namespace, '-f', sample)).to.contain('created');
    expect(await kubectl('apply', '-n', namespace, '-f', sample)).to.contain('unchanged');
    const stored = await kubectl('get', 'mpd', '-n', namespace, 'mpdcluster-rwo', '-o', 'json');
    expect((JSON.parse(stored) as CustomObject).spec).to.deep.include(clusters.ORIGINAL_SAMPLE);
  });

  it('keep a status whole, and show it in columns and in scale', async () => {
    const status = {
      ...clusters.ORIGINAL_STATUS,
      observedGeneration: 1,
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          observedGeneration: 1,
          lastTransitionTime: '2026-01-01T00:00:00Z',
          reason: 'Ready',
          message: '',
        },
      ],
      followerNum: 2,
      readyFollowers: 1,
      followers: '1/2',
      selector: 'a=b',
      version: '15.8',
      operation: { name: 'op', type: 'addRo', step: 'Join' },
      excludedInstances: ['1004'],
      volumes: [{ claimName: 'c', instance: '1002' }],
    };
    const stored = await cluster.setStatus(await cluster.create('status', clusters.LOCAL), status);
    expect(stored.status).to.deep.equal(status);

    const [head, row] = (await kubectl('get', 'mpd', '-n', namespace, 'status')).split('\n');
    expect(head?.trim().split(/\s+/)).to.deep.equal('NAME STATUS READY RW RO VERSION OPERATION AGE'.split(' '));
    expect(row).to.match(/^status +Running +True +1002 +1\/2 +15.8 +addRo +\d+s$/);

    const scale = await cluster.scale('status');
    expect(scale.spec).to.deep.equal({ replicas: 2 });
    expect(scale.status).to.deep.equal({ replicas: 2, selector: 'a=b' });
    await kubectl('scale', 'mpd', '-n', namespace, 'status', '--replicas=4');
    expect(await kubectl('get', 'mpd', '-n', namespace, 'status', '-o', 'jsonpath={.spec.followerNum}')).to.equal('4');
  });

  it('keep a journal whole', async () => {
    const status = {
      phase: 'Waiting',
      steps: [
        {
          name: 'A',
          state: 'Waiting',
          attempts: 1,
          startedAt: '2026-01-01T00:00:00.123Z',
          reason: 'R',
          message: 'm',
          progress: '1/2',
        },
      ],
      reason: 'R',
      component: 'c',
      advice: 'a',
      message: 'x'.repeat(50_000),
      data: { key: 'value' },
    };
    const stored = await operation.setStatus(await operation.create('journal', operations.ACCEPTED[0]![1]), status);
    expect(stored.status).to.deep.equal(status);
    const [, row] = (await kubectl('get', 'mpdop', '-n', namespace, 'journal')).split('\n');
    expect(row).to.match(/^journal +orders +restartCluster +Waiting +R +\d+s$/);
  });

  it('refuse to delete a protected cluster until it is not protected', async () => {
    await cluster.create('protected', { ...clusters.LOCAL, deletionProtection: true });
    // The API server takes up a new policy within seconds of its own choosing.
    const deadline = Date.now() + 30_000;
    let said: string | undefined;
    do {
      said = await objection(cluster.delete('protected'));
      if (said === undefined) await cluster.create('protected', { ...clusters.LOCAL, deletionProtection: true });
      await sleep(100);
    } while (said === undefined && Date.now() < deadline);
    expect(said).to.contain('set it to false first');
    await kubectl(
      'patch',
      'mpd',
      '-n',
      namespace,
      'protected',
      '--type=merge',
      '-p',
      '{"spec":{"deletionProtection":false}}',
    );
    expect(await objection(cluster.delete('protected'))).to.equal(undefined);
  });
});
