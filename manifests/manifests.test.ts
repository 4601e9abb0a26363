import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseAllDocuments } from 'yaml';
import { synth } from './synth.ts';

/** Set UPDATE_GOLDEN=1 to write golden/ anew after a change that is meant, and read the diff. */
const UPDATE = process.env['UPDATE_GOLDEN'] === '1';
const GOLDEN = new URL('golden/', import.meta.url).pathname;

type Document = Record<string, unknown> & {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
};

const OF_KINDS = ['0000-crds.yaml', '0004-admission.yaml'];
const CLUSTER_SCOPED = [
  'Namespace',
  'ClusterRole',
  'ClusterRoleBinding',
  'CustomResourceDefinition',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
];

/** Runs the program itself, as `npm run synth` does. */
const run = (...args: string[]): Buffer =>
  execFileSync(process.execPath, [new URL('main.ts', import.meta.url).pathname, ...args], { stdio: 'pipe' });

const yamlFiles = (directory: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .filter(file => file.endsWith('.yaml'))
      .sort()
      .map(file => [file, readFileSync(join(directory, file), 'utf8')]),
  );

const documentsOf = (text: string): Document[] => parseAllDocuments(text).map(one => one.toJS() as Document);

describe('manifests', () => {
  let directory: string;
  let files: Record<string, string>;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'manifests-'));
    writeFileSync(join(directory, '0009-left-over.yaml'), 'kind: Old\n');
    synth(directory);
    files = yamlFiles(directory);
  });
  after(() => rmSync(directory, { recursive: true }));

  const install = () => Object.entries(files).filter(([file]) => !file.startsWith('clusters/'));
  const documents = () => install().flatMap(([, text]) => documentsOf(text));

  it('are numbered in the order in which they can be applied, without files of earlier runs', () => {
    expect(Object.keys(files)).to.deep.equal([
      '0000-crds.yaml',
      '0001-namespace.yaml',
      '0002-access.yaml',
      '0003-settings.yaml',
      '0004-admission.yaml',
      '0005-operator.yaml',
      '0006-cluster-manager.yaml',
      '0007-daemon.yaml',
      'clusters/original.yaml',
      'clusters/quickstart.yaml',
      'clusters/shared.yaml',
    ]);
  });

  it('are as agreed (golden/, without what the kinds bring, which has tests of its own)', () => {
    const wanted = Object.entries(files).filter(([file]) => !OF_KINDS.includes(file));
    for (const [file, text] of wanted) {
      if (UPDATE) {
        mkdirSync(join(GOLDEN, 'clusters'), { recursive: true });
        writeFileSync(join(GOLDEN, file), text);
      }
      expect(text, `${file} differs; UPDATE_GOLDEN=1 takes it over`).to.equal(readFileSync(join(GOLDEN, file), 'utf8'));
    }
    expect(Object.keys(yamlFiles(GOLDEN))).to.deep.equal(wanted.map(([file]) => file));
  });

  it('are the same, byte for byte, on every run', () => {
    run('--out', directory);
    expect(yamlFiles(directory)).to.deep.equal(files);
  });

  it('take less than 250 kB together', () => {
    expect(install().reduce((sum, [, text]) => sum + Buffer.byteLength(text), 0)).to.be.below(250_000);
  });

  it('hold what the schemas of Kubernetes say', async () => {
    for (const document of documents()) {
      const module = `kubernetes-models/${document.apiVersion}/${document.kind}`;
      const models = (await import(module)) as Record<string, new (data: unknown) => { validate(): void }>;
      new models[document.kind]!(document).validate();
    }
  });

  it('name every object once, without hashes, and place only what has a namespace', () => {
    const names = documents().map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`);
    expect(new Set(names).size).to.equal(names.length);
    for (const { kind, metadata } of documents()) {
      expect(metadata.namespace !== undefined, `${kind} ${metadata.name}`).to.equal(!CLUSTER_SCOPED.includes(kind));
      expect(metadata.name).not.to.match(/-c[0-9a-f]{7}$/);
    }
    expect(
      install()
        .map(([, text]) => text)
        .join(''),
    ).not.to.contain('cdk8s.io');
  });

  it('leave the counters of the original alone: that map carries annotations only', () => {
    const map = documents().find(({ metadata }) => metadata.name === 'polardb4mpd-controller');
    expect(map).to.have.property('metadata').that.has.property('annotations');
    expect(map).not.to.have.property('data');
  });

  it('take changes, and refuse wrong ones by the name of the field', () => {
    const other = mkdtempSync(join(tmpdir(), 'manifests-'));
    try {
      synth(other, {
        image: 'registry:5000/polardb-stack:new',
        versions: { 'postgresql-15': { engineImage: 'pg:1' } },
      });
      const changed = yamlFiles(other);
      expect(changed['0005-operator.yaml']).to.contain('image: registry:5000/polardb-stack:new');
      expect(changed['0003-settings.yaml']).to.contain('pgEngineImage: pg:1');
      const file = join(other, 'site.json');
      writeFileSync(file, JSON.stringify({ operator: { replicas: 0 } }));
      expect(() => run('--out', other, '--site', file)).to.throw('operator.replicas');
      expect(yamlFiles(other)).to.deep.equal(changed);
    } finally {
      rmSync(other, { recursive: true });
    }
  });
});
