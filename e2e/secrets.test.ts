import { expect } from 'chai';
import { RESOURCES, type Pod, type ResourceType } from '../operator/kube/resources.ts';
import { MPD_CLUSTERS, MPD_OPERATIONS } from '../operator/kinds/mpd.ts';
import { decode, type Database } from './support/database.ts';
import { localSpec } from './support/engine.ts';
import { scenario } from './support/scenario.ts';
import { SYSTEM_NAMESPACE } from './support/stack.ts';

/** Shorter values are names and numbers. */
const SHORTEST = 12;
const EVERY_PROCESS = 'for d in /proc/[0-9]*; do cat $d/cmdline $d/environ 2>/dev/null; echo; done';
const EVERY_LOG = 'cat /data/log/* 2>/dev/null';

describe('secrets', function () {
  this.timeout(180_000);
  const scene = scenario('secrets');
  let database: Database;
  let secrets: Map<string, string>;

  before(async () => {
    database = await scene.newCluster('secrets', localSpec(1));
    await database.ready();
    await database.write('row');
    await expectRefusedLogin(database);
    secrets = await secretValues();
  });

  it('are there to be looked for: passwords, keys and the authority', () => {
    const names = [...secrets.values()].join('\n');
    for (const part of ['secrets-app', '-aurora', '-replicator', '-tls', 'polardb-stack-ca']) {
      expect(names).to.contain(part);
    }
  });

  it('stand in no log of a pod', async () => {
    const pods = [...(await podsOf(scene.namespace)), ...(await podsOf(SYSTEM_NAMESPACE))];
    for (const { metadata } of pods) {
      const where = ['--namespace', metadata.namespace ?? '', metadata.name];
      const log = await scene.kubectl.run('logs', ...where, '--all-containers');
      expectClean(log, `log of ${metadata.name}`);
      expect(log, metadata.name).not.to.contain('SCRAM-SHA-256$');
    }
  });

  it('stand in no log file on the volumes', async () => {
    for (const pod of await database.pods()) {
      const log = await inContainer(pod, 'engine', EVERY_LOG);
      expect(log).to.contain('database system is ready');
      expectClean(log, `log file of ${pod.metadata.name}`);
      expect(log).not.to.contain('SCRAM-SHA-256$');
    }
  });

  it('stand in no argument list and no environment', async () => {
    const pods = [...(await podsOf(scene.namespace)), ...(await podsOf(SYSTEM_NAMESPACE))];
    for (const pod of pods) {
      const part = pod.metadata.labels?.['app.kubernetes.io/component'] ?? '';
      const container = pod.metadata.namespace === SYSTEM_NAMESPACE ? part : 'engine';
      const seen = await inContainer(pod, container, EVERY_PROCESS);
      expect(seen).to.contain('/polardb-stack/');
      expectClean(seen, `processes of ${pod.metadata.name}`);
    }
  });

  it('stand in no object but Secrets: ConfigMaps, pods, records, events, status', async () => {
    const { pods, configMaps, events, leases, services, endpointSlices, persistentVolumeClaims } = RESOURCES;
    const builtIn = [pods, configMaps, events, leases, services, endpointSlices, persistentVolumeClaims];
    const kinds: ResourceType[] = [...builtIn, MPD_CLUSTERS, MPD_OPERATIONS];
    for (const type of kinds) {
      for (const namespace of [scene.namespace, SYSTEM_NAMESPACE, 'kube-system']) {
        for (const object of await scene.client.list(type, { namespace })) {
          expectClean(JSON.stringify(object), `${object.kind} ${object.metadata.name}`);
        }
      }
    }
  });

  function expectClean(text: string, where: string): void {
    const found = [...secrets].filter(([value]) => text.includes(value)).map(([, name]) => name);
    expect(found, where).to.deep.equal([]);
  }

  /** Every secret value, as text and as it is stored, with where it stands. Of a key one line in the middle will do. */
  async function secretValues(): Promise<Map<string, string>> {
    const lists = [scene.namespace, SYSTEM_NAMESPACE].map(namespace =>
      scene.client.list(RESOURCES.secrets, { namespace }),
    );
    const found = new Map<string, string>();
    for (const secret of (await Promise.all(lists)).flat()) {
      for (const [key, value] of Object.entries(decode(secret))) {
        for (const form of secretForms(key, value)) found.set(form, `${secret.metadata.name}: ${key}`);
      }
    }
    return found;
  }

  const podsOf = (namespace: string): Promise<Pod[]> => scene.client.list(RESOURCES.pods, { namespace });

  function inContainer({ metadata }: Pod, container: string, script: string): Promise<string> {
    const where = ['--namespace', metadata.namespace ?? '', metadata.name, '--container', container];
    return scene.kubectl.run('exec', ...where, '--', '/polardb-stack/bin/busybox', 'sh', '-c', script);
  }
});

/** How a secret value could show itself; nothing for what is public: certificates, names, numbers. */
function secretForms(key: string, value: string): string[] {
  if (value.includes('PRIVATE KEY')) return value.split('\n').slice(1, 2);
  const isPublic = value.includes('CERTIFICATE') || ['host', 'username', 'Account', 'dbname'].includes(key);
  if (isPublic || value.length < SHORTEST) return [];
  return [value, encodeURIComponent(value), Buffer.from(value).toString('base64')];
}

/** A failed login is what engines like to log in full. */
async function expectRefusedLogin(database: Database): Promise<void> {
  const attempt = database.sql('rw', sql => sql('SELECT 1'), { user: 'nobody' });
  expect(await attempt.then(() => 'let in', String)).to.contain('password authentication failed');
}
