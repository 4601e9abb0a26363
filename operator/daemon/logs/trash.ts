import { isCode, OtherMount, type HeldDirectory } from './held-directory.ts';
import { isTrashDue } from './judge.ts';
import type { LiveInstances } from './live.ts';
import { isInstanceName, parseTrashName, TRASH, trashName, type FileName, type Trashed } from './names.ts';
import { NOTE } from './orphan-note.ts';
import { DAY_MS } from './policy.ts';
import type { LogRule } from './report.ts';
import { attempt, walkOptions, type Run } from './run.ts';
import { joined, removeTree, walkFiles } from './walk.ts';

/**
 * The trash of a root: what goes is first moved here, in one step, and stays for some days. Undefined: there is none
 * yet. @throws when something else has its name
 */
export async function openTrash(root: HeldDirectory): Promise<HeldDirectory | undefined> {
  try {
    return await root.child(TRASH);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    if (isCode(error, 'ENOTDIR', 'ELOOP') || error instanceof OtherMount) {
      throw new Error(`${TRASH} is not a directory of this file system`, { cause: error });
    }
    throw error;
  }
}

/** The same, made when it is missing. */
export async function makeTrash(root: HeldDirectory): Promise<HeldDirectory> {
  const found = await openTrash(root);
  if (found) return found;
  await root.makeDirectory(TRASH);
  return root.child(TRASH);
}

/** Deletes what has lain long enough. An instance that is named again gets its folder back. */
export async function emptyTrash(
  begun: Run,
  trash: HeldDirectory,
  names: readonly FileName[],
  readLive: (signal: AbortSignal) => Promise<LiveInstances>,
): Promise<void> {
  let run = begun;
  for (const name of names) {
    const path = joined(TRASH, name);
    const trashed = parseTrashName(name);
    // To delete the ones before may have taken hours.
    if (trashed && !trashed.isCopy && isTrashDue(trashed.since, run))
      run = { ...run, live: await readLive(run.signal) };
    if (!trashed) {
      if (!name.startsWith(NOTE)) run.record.foreign(path);
    } else if (isNamedAgain(run, trashed)) {
      await giveBack(run, trash, { name, instance: trashed.instance! });
    } else if (trashed.isCopy || isTrashDue(trashed.since, run)) {
      await attempt(run, path, () => remove(run, trash, { name, path, rule: 'TrashExpired' }));
    } else {
      run.record.kept(path, 'it was set aside', trashed.since + run.policy.trashDays * DAY_MS);
    }
  }
}

const isNamedAgain = ({ live }: Run, { instance, isCopy }: Trashed): boolean =>
  instance !== undefined && !isCopy && live.has(instance);

async function giveBack(
  run: Run,
  trash: HeldDirectory,
  { name, instance }: { name: FileName; instance: FileName },
): Promise<void> {
  const path = joined(TRASH, name);
  if (!isInstanceName(instance)) return;
  if (await run.root.facts(instance)) {
    run.record.problem(path, new Error(`named again by ${run.live.get(instance)}, which has another folder by now`));
    return;
  }
  run.record.kept(instance, `taken out of the trash: named by ${run.live.get(instance)}`);
  if (run.mode === 'apply') await attempt(run, path, () => trash.move(name, run.root, instance));
}

/** Puts a copy of a data directory into the trash and deletes it there: what is left of it is known when this breaks off. */
export async function discardCopy(
  run: Run,
  from: HeldDirectory,
  { name, path, instance }: { name: FileName; path: FileName; instance?: FileName },
): Promise<void> {
  if (run.mode === 'plan') {
    await remove(run, from, { name, path, rule: 'RmDataAge' });
    return;
  }
  const trash = await makeTrash(run.root);
  try {
    const moved = trashName(name, run.now, instance);
    await from.move(name, trash, moved);
    await remove(run, trash, { name: moved, path, rule: 'RmDataAge' });
  } finally {
    await trash.close();
  }
}

/** Deletes a tree, or finds out what that would free. What was deleted before it broke off is told as well. */
async function remove(
  run: Run,
  parent: HeldDirectory,
  { name, path, rule }: { name: FileName; path: FileName; rule: LogRule },
): Promise<void> {
  const removed = { files: 0, bytes: 0 };
  try {
    if (run.mode === 'apply') await removeTree(parent, name, { signal: run.signal, removed });
    else removed.bytes = await bytesOf(run, parent, name);
  } finally {
    run.record.action(rule, path, removed.bytes);
  }
}

async function bytesOf(run: Run, parent: HeldDirectory, name: FileName): Promise<number> {
  const facts = await parent.facts(name);
  if (facts?.kind !== 'directory') return facts?.bytes ?? 0;
  const directory = await parent.child(name);
  let bytes = 0;
  try {
    for await (const found of walkFiles({ directory, path: name }, walkOptions(run))) bytes += found.facts.bytes;
  } finally {
    await directory.close();
  }
  return bytes;
}
