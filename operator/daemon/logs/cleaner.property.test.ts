import { expect } from 'chai';
import { existsSync, lstatSync, renameSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import fc from 'fast-check';
import { CleanUpFailed } from './cleaner.ts';
import { DAY_MS } from './policy.ts';
import { violations } from './testing/rules.ts';
import { NOW, siteOf, Tree, unaborted } from './testing/tree.ts';

const IDS = ['1001', '1002', '1003', '7'];

/** Of a cluster that is created while a clean-up runs. */
const NEW_ID = '1009';
const NEW_LOG = `${NEW_ID}/log/postgresql-1.log`;
const CREATED = [`${NEW_ID}/`, `${NEW_ID}/log/`, NEW_LOG];

const top = fc.oneof(
  // Few enough for files to meet in one directory.
  { weight: 16, arbitrary: fc.constantFrom('1001', '1002') },
  { weight: 8, arbitrary: fc.constantFrom(...IDS) },
  fc.constantFrom('lost+found', '-rf', '01001', '\xff\xfe', 'backup', 'rm_data_5', '.polardb-stack-trash', '...'),
);
const middle = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('log', 'data/log') },
  { weight: 6, arbitrary: fc.constantFrom('log', 'data/log', 'data/pg_log', 'data/engine/log', 'log/deep') },
  { weight: 4, arbitrary: fc.constantFrom('data', 'data/base', 'rm_data_20260101000000', 'rm_data_9/x', 'scripts') },
  fc.constantFrom('rm_data_20260530000000', 'rm_data_20260530000000/y'),
  fc.constantFrom('log/postgresql-7.log', '1002.1', '1001.1/data', 'other', 'data/rm_data_1'),
);
const leaf = fc.oneof(
  { weight: 6, arbitrary: fc.nat(4).map(n => `postgresql-${n}.log`) },
  fc.nat(3).map(n => `postgresql-${n}.csv`),
  fc.nat(3).map(n => `postgresql-${n}.log.gz`),
  fc.constantFrom('postgresql-1.log.gz.partial', 'postgresql-\xff\n1.log', 'manager.log', '-rf', ' ', 'rm_data_7'),
);
const age = fc.constantFrom(-5, 0, 0.02, 0.5, 1.5, 2.9, 3.1, 10, 100);

/** What a former clean-up has set aside, on the first day of the test. */
const trashed = fc.tuple(fc.constantFrom(...IDS), fc.constantFrom('', '.rm_data_1')).map(([id, copy]) => {
  return `.polardb-stack-trash/${id}${copy}.${NOW / 1000}/data/x`;
});

const item = fc.record({
  path: fc.oneof(
    { weight: 12, arbitrary: fc.tuple(top, middle, leaf).map(parts => parts.join('/')) },
    { weight: 1, arbitrary: trashed },
  ),
  kind: fc.oneof({ weight: 8, arbitrary: fc.constant('file') }, fc.constantFrom('link', 'directory', 'linked folder')),
  age,
  bytes: fc.constantFrom(0, 10, 5000),
});

const seldom = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, arbitrary);

const step = fc.record({
  days: fc.constantFrom(0, 0.3, 1, 2, 3, 3.1, 3.1, 7),
  named: fc.oneof(fc.subarray(IDS), fc.constant<string[]>([])),
  /** Called off after so many turns of the event loop. */
  abortAfter: seldom(fc.nat(200)),
  isTight: fc.boolean(),
  /** What others do while the clean-up asks the server, or looks at the disk. */
  race: seldom(fc.constantFrom('swap log', 'swap folder', 'create')),
});

type Item = typeof item extends fc.Arbitrary<infer T> ? T : never;
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function build(tree: Tree, items: readonly Item[]): void {
  for (const { path, kind, age, bytes } of items) {
    try {
      if (kind === 'link') tree.link(path, `${tree.outside}/postgresql-1.log`);
      else if (kind === 'linked folder') tree.link(path.replace(/\/[^/]*$/s, ''), `${tree.outside}/log`);
      else if (kind === 'directory') tree.directory(path, age);
      else tree.file(path, age, 'x'.repeat(bytes));
    } catch {
      // Another item has the name of one of its directories, or leads out.
    }
  }
  for (const path of tree.paths()) if (path.endsWith('/')) tree.age(path, 10);
}

/** What others took away while a clean-up ran: where it was, by where it is now. */
type Away = Map<string, string>;

/** A directory makes way for a link that leads out of the root. */
function swap(tree: Tree, path: string, away: Away): void {
  // Another one may have done that to what it is in: then this would be done outside.
  if (!lstatSync(`${tree.root}/${dirname(path)}`, { throwIfNoEntry: false })?.isDirectory()) return;
  const to = `${tree.base}/away-${Math.random()}`;
  try {
    renameSync(`${tree.root}/${path}`, to);
  } catch {
    // There is none.
    return;
  }
  symlinkSync(`${tree.outside}/log`, `${tree.root}/${path}`);
  if (lstatSync(to).isDirectory()) away.set(to, path);
}

/** What is there, as if nobody else had done anything meanwhile: what the clean-up itself has made of it. */
function withoutOthers(tree: Tree, away: Away, before: ReadonlyMap<string, string>): Map<string, string> {
  const files = tree.snapshot();
  for (const [to, path] of away) {
    files.delete(path);
    files.set(`${path}/`, '');
    for (const [below, content] of tree.snapshot(to)) files.set(`${path}/${below}`, content);
  }
  for (const made of CREATED) if (!before.has(made)) files.delete(made);
  return files;
}

describe('the clean-up of logs, whatever it finds', function () {
  this.timeout(120_000);

  it('deletes nothing that has to stay, and nothing outside its root', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(item, { maxLength: 40, size: 'max' }),
        fc.array(step, { minLength: 1, maxLength: 6 }),
        run,
      ),
      { numRuns: 12 },
    ));
});

async function run(items: readonly Item[], steps: readonly Step[]): Promise<void> {
  const tree = new Tree();
  try {
    build(tree, items);
    const site = siteOf(tree);
    const namelessSince = new Map<string, number>();
    for (const step of steps) await takeStep(tree, site, { step, namelessSince });
  } finally {
    tree.remove();
  }
}

async function takeStep(
  tree: Tree,
  site: ReturnType<typeof siteOf>,
  { step, namelessSince }: { step: Step; namelessSince: Map<string, number> },
): Promise<void> {
  site.now += step.days * DAY_MS;
  const isCreated = existsSync(`${tree.root}/${NEW_ID}`);
  site.named = new Set([...step.named, ...(isCreated ? [NEW_ID] : [])]);
  site.policy = step.isTight ? { maxInstanceLogBytes: 4096 } : {};
  site.usedPercent = step.isTight ? 90 : 50;
  noteNameless(namelessSince, step, site.now);
  const outside = tree.snapshot(tree.outside);
  const before = beforeOf(tree);
  await site.cleaner.plan(unaborted());
  expect(tree.snapshot(), 'a plan changes nothing').to.deep.equal(before.files);
  const away = await applyWith(tree, site, step);
  expect(tree.snapshot(tree.outside)).to.deep.equal(outside);
  if (step.race === 'create') expect(tree.paths()).to.include.members(CREATED);
  const world = { now: site.now, named: site.named, namelessSince, isTight: step.isTight };
  expect(violations(before, withoutOthers(tree, away, before.files), world)).to.deep.equal([]);
}

/** A clean-up that is called off may not have come to see that an instance is named. */
function noteNameless(since: Map<string, number>, { named, abortAfter }: Step, now: number): void {
  for (const id of IDS) {
    if (!named.includes(id)) since.set(id, since.get(id) ?? now);
    else if (abortAfter === undefined) since.delete(id);
  }
}

function beforeOf(tree: Tree): { files: Map<string, string>; modifiedAt: (path: string) => number } {
  const files = tree.snapshot();
  const times = new Map([...files.keys()].map(path => [path.replace(/\/$/, ''), tree.modifiedAt(path)]));
  return { files, modifiedAt: path => times.get(path) ?? 0 };
}

async function applyWith(tree: Tree, site: ReturnType<typeof siteOf>, { race, abortAfter }: Step): Promise<Away> {
  const away: Away = new Map();
  const abort = new AbortController();
  const options = site.options;
  site.options = {
    ...options,
    readLive: () => {
      if (race === 'create') tree.file(NEW_LOG, 99, 'new');
      return Promise.resolve(new Map([...site.named].map(id => [id, 'cluster db/orders'])));
    },
    readOpen: () => {
      for (const id of IDS) if (race) swap(tree, race === 'swap log' ? `${id}/log` : id, away);
      return Promise.resolve({ ids: new Set(), isComplete: true });
    },
  };
  const countDown = (left: number): void => {
    if (left === 0) abort.abort();
    else setImmediate(() => countDown(left - 1));
  };
  if (abortAfter !== undefined) countDown(abortAfter);
  await site.cleaner.apply(abort.signal).catch((error: unknown) => {
    if (!(error instanceof CleanUpFailed) || !(abort.signal.aborted || /is not a dir/.test(error.message))) throw error;
  });
  site.options = options;
  return away;
}
