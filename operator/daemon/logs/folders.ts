import { isCode, OtherMount, type HeldDirectory } from './held-directory.ts';
import { isRmDataDue, judgeFolder, type FolderView } from './judge.ts';
import type { LiveInstances } from './live.ts';
import { isInstancePart, isRmData, rmDataTime, trashName, type FileName } from './names.ts';
import { isSameOrphans, readOrphans, writeOrphans, type Orphans } from './orphan-note.ts';
import { attempt, type Run } from './run.ts';
import { discardCopy, makeTrash, openTrash } from './trash.ts';
import { joined, walkFiles } from './walk.ts';

/** Copies of data directories (`rm_data_*`) that are old enough, directly in this directory. */
export async function discardCopies(
  run: Run,
  from: HeldDirectory,
  { instance }: { instance?: FileName },
): Promise<void> {
  for await (const { name, kind } of from.entries()) {
    if (kind !== 'directory' || !isRmData(name)) continue;
    const facts = await from.facts(name);
    if (facts?.kind !== 'directory') continue;
    if (!isRmDataDue(Math.max(rmDataTime(name) ?? 0, facts.modifiedAt), run)) continue;
    const path = joined(instance ?? '', name);
    await attempt(run, path, () => discardCopy(run, from, { name, path, instance }));
  }
}

/**
 * Sets folders of instances aside that nobody names, in steps: first it is noted since when, and when that is long
 * enough, nothing in the folder is newer and the server says once more that nobody names it, it is moved to the trash.
 * @returns the folders that stay, and are an instance's
 */
export async function setOrphansAside(
  run: Run,
  names: readonly FileName[],
  readLive: (signal: AbortSignal) => Promise<LiveInstances>,
): Promise<FileName[]> {
  const folders = await ownFolders(run, names);
  const orphans = await noteOrphans(run, folders);
  const stay: FileName[] = [];
  const leave: FileName[] = [];
  for (const name of folders) ((await isToLeave(run, name, orphans)) ? leave : stay).push(name);
  if (leave.length > 0) stay.push(...(await setAside(run, leave, await readLive(run.signal))));
  return stay;
}

/** Those that have nothing in them but what instances have; others are not ours, whatever their name. */
async function ownFolders(run: Run, names: readonly FileName[]): Promise<FileName[]> {
  const own: FileName[] = [];
  for (const name of names) {
    await attempt(run, name, async () => {
      const strange = await whatIsStrange(run.root, name);
      if (strange === undefined || (strange !== name && run.live.has(name))) own.push(name);
      else run.record.foreign(strange);
    });
  }
  return own;
}

/** A path that instances do not have; the name itself when it is no directory, or a mount. */
async function whatIsStrange(root: HeldDirectory, name: FileName): Promise<FileName | undefined> {
  let folder: HeldDirectory;
  try {
    folder = await root.child(name);
  } catch (error) {
    if (error instanceof OtherMount || isCode(error, 'ENOTDIR', 'ELOOP')) return name;
    throw error;
  }
  try {
    for await (const entry of folder.entries()) {
      if (entry.kind !== 'directory' || !isInstancePart(entry.name)) return joined(name, entry.name);
    }
    return undefined;
  } finally {
    await folder.close();
  }
}

/** Since when nobody names these; what is new is written down before anything is done about it. */
async function noteOrphans(run: Run, folders: readonly FileName[]): Promise<Orphans> {
  const trash = await openTrash(run.root);
  const before = await readOrphans(trash).finally(() => trash?.close());
  const nameless = folders.filter(name => !run.live.has(name));
  const orphans = new Map(nameless.map(name => [name, before.get(name) ?? run.now]));
  if (run.mode === 'apply' && !isSameOrphans(before, orphans)) {
    const kept = await makeTrash(run.root);
    await writeOrphans(kept, orphans).finally(() => kept.close());
  }
  return orphans;
}

async function isToLeave(run: Run, name: FileName, orphans: Orphans): Promise<boolean> {
  const view: FolderView = { namedBy: run.live.get(name), orphanSince: orphans.get(name) };
  let verdict = judgeFolder(view, run);
  if (verdict.action === 'look') {
    const seen = await lookInto(run, name);
    if (!seen) return false;
    verdict = judgeFolder({ ...view, ...seen }, run);
  }
  if (verdict.action === 'wait') run.record.kept(name, verdict.why, verdict.until);
  return verdict.action === 'set-aside';
}

/** Undefined: not everything could be looked at, so nothing is known. */
async function lookInto(run: Run, name: FileName): Promise<Pick<FolderView, 'newestAt' | 'isOpen'> | undefined> {
  const seen = { isWhole: true, newestAt: 0, isOpen: false };
  const onProblem = (path: FileName, error: unknown): void => {
    seen.isWhole = false;
    run.record.problem(path, error);
  };
  const look = async (): Promise<void> => {
    const directory = await run.root.child(name);
    try {
      for await (const { facts } of walkFiles({ directory, path: name }, { signal: run.signal, onProblem })) {
        seen.newestAt = Math.max(seen.newestAt, facts.modifiedAt);
        seen.isOpen ||= run.open.ids.has(facts.id);
      }
    } finally {
      await directory.close();
    }
  };
  return (await attempt(run, name, look)) && seen.isWhole ? seen : undefined;
}

/** @returns those that stay after all */
async function setAside(run: Run, names: readonly FileName[], live: LiveInstances): Promise<FileName[]> {
  const stay: FileName[] = [];
  const trash = run.mode === 'apply' ? await makeTrash(run.root) : undefined;
  try {
    for (const name of names) {
      const isNamed = live.has(name);
      if (isNamed) run.record.kept(name, `named by ${live.get(name)}`);
      const move = async (): Promise<void> => {
        if (trash) await run.root.move(name, trash, trashName(name, run.now));
      };
      if (isNamed || !(await attempt(run, name, move))) stay.push(name);
      else run.record.action('OrphanFolder', name, 0);
    }
  } finally {
    await trash?.close();
  }
  return stay;
}
