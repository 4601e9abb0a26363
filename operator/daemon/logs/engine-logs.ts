import { compressLog } from './compress.ts';
import type { FileFacts, HeldDirectory } from './held-directory.ts';
import { judgeLog, newSurvey, pressureExcess, survey, type AgeProfile, type LogView } from './judge.ts';
import { isEngineLog, isPartial, LOG_PLACES, logFamily, type FileName } from './names.ts';
import { attempt, walkOptions, type Run } from './run.ts';
import { descend, filesOf, joined, walkDirectories, type Found, type Place } from './walk.ts';

/** The newest file of each family of a directory, by both. */
type Newest = Map<string, Pick<FileFacts, 'id' | 'modifiedAt'>>;

interface Surveyed {
  name: FileName;
  newest: Newest;
  sizeCutoff: number;
}

/**
 * Deletes and compresses engine logs of these instances, each looked at twice: what goes for lack of space depends on
 * all of them, and what is known between the two looks does not grow with the number of files.
 */
export async function cleanEngineLogs(run: Run, instances: readonly FileName[]): Promise<void> {
  const all = newSurvey();
  const surveyed: Surveyed[] = [];
  for (const name of instances) surveyed.push(await surveyInstance(run, name, all));
  const gone = run.record.freed('TrashExpired', 'RmDataAge') + all.overdueBytes;
  const pressureCutoff = all.byPressure.cutoff(pressureExcess(run.disk, run.policy) - gone);
  for (const instance of surveyed) await cleanInstance(run, instance, pressureCutoff);
}

async function surveyInstance(
  run: Run,
  name: FileName,
  all: { overdueBytes: number; byPressure: AgeProfile },
): Promise<Surveyed> {
  const newest: Newest = new Map();
  const own = { ...newSurvey(), byPressure: all.byPressure };
  await inLogPlaces(run, name, async place => {
    const pending = new Map<string, LogView>();
    for await (const found of filesOf(place, walkOptions(run))) {
      if (!isLog(found)) continue;
      run.record.saw('logs');
      const log = { ...found.facts, name: found.name, isNewest: false, isOpen: run.open.ids.has(found.facts.id) };
      const displaced = displace(pending, log);
      if (displaced) survey(own, displaced, run);
    }
    for (const [family, log] of pending) {
      survey(own, { ...log, isNewest: true }, run);
      newest.set(joined(place.path, family), log as LogView & FileFacts);
    }
  });
  all.overdueBytes += own.overdueBytes;
  return { name, newest, sizeCutoff: own.bySize.cutoff(own.keptBytes - run.policy.maxInstanceLogBytes) };
}

/** Keeps the newest file of each family back, as its fate differs; the other of the two is known not to be the newest. */
function displace<T extends LogView>(pending: Map<string, T>, log: T): T | undefined {
  const family = logFamily(log.name);
  const before = pending.get(family);
  if (before && before.modifiedAt >= log.modifiedAt) return log;
  pending.set(family, log);
  return before;
}

const isLog = ({ name, facts }: Found): boolean => facts.kind === 'file' && isEngineLog(name);

async function cleanInstance(run: Run, { name, newest, sizeCutoff }: Surveyed, pressureCutoff: number): Promise<void> {
  const limits = { now: run.now, policy: run.policy, pressureCutoff, sizeCutoff };
  await inLogPlaces(run, name, async place => {
    const made = new Set<string>();
    for await (const found of filesOf(place, walkOptions(run))) {
      if (found.facts.kind === 'file' && isPartial(found.name)) await removeLeftover(run, found);
      // What was compressed a moment ago may be found as well.
      if (!isLog(found) || made.has(found.facts.id)) continue;
      const known = newest.get(joined(place.path, logFamily(found.name)));
      // A file that came later than the survey is newer than all that it saw.
      const isNewest = !known || known.id === found.facts.id || found.facts.modifiedAt >= known.modifiedAt;
      const view = { ...found.facts, name: found.name, isNewest, isOpen: run.open.ids.has(found.facts.id) };
      const verdict = judgeLog(view, limits);
      if (verdict.action === 'delete') await removeLog(run, found, verdict.rule);
      if (verdict.action === 'compress') await compress(run, found, made);
    }
  });
}

async function removeLog(run: Run, found: Found, rule: 'LogAge' | 'DiskPressure' | 'LogSize'): Promise<void> {
  await attempt(run, found.path, async () => {
    if (run.mode === 'apply') await found.directory.unlink(found.name);
    run.record.action(rule, found.path, found.facts.bytes);
  });
}

async function compress(run: Run, found: Found, made: Set<string>): Promise<void> {
  await attempt(run, found.path, async () => {
    // Both lie there for a moment.
    if (found.facts.bytes > run.disk.freeBytes) throw new Error('there is no space to compress it');
    if (run.mode === 'apply') {
      const id = await compressLog(found, run.signal);
      if (id === undefined) return;
      made.add(id);
    }
    run.record.action('Compress', found.path, found.facts.bytes);
  });
}

/** Of a compression that broke off: the log itself is still there. */
async function removeLeftover(run: Run, { directory, name, path, facts }: Found): Promise<void> {
  await attempt(run, path, async () => {
    if (run.mode === 'apply') await directory.unlink(name);
    run.record.action('Leftover', path, facts.bytes);
  });
}

/** Each directory in which an engine of this instance may log. */
async function inLogPlaces(run: Run, instance: FileName, act: (place: Place) => Promise<void>): Promise<void> {
  for (const names of LOG_PLACES) {
    const path = [instance, ...names].join('/');
    await attempt(run, path, async () => {
      const directory: HeldDirectory | undefined = await descend(run.root, [instance, ...names]);
      if (!directory) return;
      try {
        for await (const place of walkDirectories({ directory, path }, walkOptions(run))) await act(place);
      } finally {
        await directory.close();
      }
    });
  }
}
