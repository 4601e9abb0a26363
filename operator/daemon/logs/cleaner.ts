import { cleanEngineLogs } from './engine-logs.ts';
import { discardCopies, setOrphansAside } from './folders.ts';
import { HeldDirectory, isCode } from './held-directory.ts';
import type { DiskUse } from './judge.ts';
import type { LiveInstances } from './live.ts';
import { isInstanceName, isRmData, TRASH, type FileName } from './names.ts';
import type { OpenFiles } from './open-files.ts';
import type { LogPolicy } from './policy.ts';
import { Recorder, type LogMode, type LogsReport } from './report.ts';
import { attempt, type Run } from './run.ts';
import { emptyTrash, openTrash } from './trash.ts';

export interface CleanerOptions {
  host: string;
  /** Folder of the instances' folders, as this process sees it. */
  root: string;
  policy: () => LogPolicy;
  /** @throws when not all could be read: then nothing is deleted */
  readLive: (signal: AbortSignal) => Promise<LiveInstances>;
  /** Files of a device that are open on this host. */
  readOpen: (device: string, signal: AbortSignal) => Promise<OpenFiles>;
  readDisk: (path: string) => Promise<DiskUse>;
  now: () => Date;
}

/** There are no folders of instances on this host. */
export class NoLogRoot extends Error {}

/**
 * The clean-up of one host. A plan and its execution are the same walk and the same decisions; a plan changes nothing.
 *
 * What protects what must stay: nothing is done before everything is known (folders first, then who names them: a folder
 * that was seen belongs to somebody who could be seen); one directory at a time is held open, so no link leads out of the
 * root; what nobody names is noted, waits, lies in the trash, waits again.
 */
export class LogsCleaner {
  readonly #options: CleanerOptions;

  constructor(options: CleanerOptions) {
    this.#options = options;
  }

  /** What a clean-up would do now. @throws NoLogRoot; KubeError; system errors */
  plan(signal: AbortSignal): Promise<LogsReport> {
    return this.#run('plan', signal);
  }

  /** Cleans up. `onStart` gets what tells how far it is. Called off, it ends between two files. @throws as `plan` */
  apply(signal: AbortSignal, onStart?: (progress: () => LogsReport) => void): Promise<LogsReport> {
    return this.#run('apply', signal, onStart);
  }

  async #run(mode: LogMode, signal: AbortSignal, onStart?: (progress: () => LogsReport) => void): Promise<LogsReport> {
    const { host, root, now } = this.#options;
    const held = await openRoot(root);
    const startedAt = now();
    const record = new Recorder({ host, mode, root }, startedAt);
    onStart?.(() => record.snapshot());
    try {
      await this.#clean(held, { mode, signal, record, now: startedAt.getTime() });
      return record.end(now());
    } catch (error) {
      throw new CleanUpFailed(record.end(now(), (error as Error).message), error);
    } finally {
      await held.close();
    }
  }

  async #clean(root: HeldDirectory, base: Pick<Run, 'mode' | 'signal' | 'record' | 'now'>): Promise<void> {
    const { signal, record } = base;
    const trash = await openTrash(root);
    try {
      const trashed = trash ? await namesIn(trash) : [];
      const folders = (await namesIn(root)).filter(name => name !== TRASH);
      // After the folders, never before: a cluster that is being created is named before it has one.
      const live = await this.#options.readLive(signal);
      const open = await this.#readOpen(root, base);
      const disk = await this.#options.readDisk(this.#options.root);
      record.disk(disk);
      const run: Run = { ...base, policy: this.#options.policy(), root, live, open, disk };
      if (trash) await emptyTrash(run, trash, trashed, this.#options.readLive);
      await this.#cleanFolders(run, folders);
    } finally {
      await trash?.close();
    }
  }

  async #cleanFolders(run: Run, names: readonly FileName[]): Promise<void> {
    const instances = names.filter(isInstanceName);
    for (const name of names) if (!isInstanceName(name) && !isRmData(name)) run.record.foreign(name);
    await discardCopies(run, run.root, {});
    const stay = await setOrphansAside(run, instances, this.#options.readLive);
    for (const instance of stay) {
      run.record.saw('folders');
      await attempt(run, instance, async () => {
        const folder = await run.root.child(instance);
        await discardCopies(run, folder, { instance }).finally(() => folder.close());
      });
    }
    await cleanEngineLogs(run, stay);
  }

  /** Where the host does not show what is open, age and order of the files have to do. */
  async #readOpen(root: HeldDirectory, { record, signal }: Pick<Run, 'record' | 'signal'>): Promise<OpenFiles> {
    const [device] = (await root.own()).id.split(':') as [string];
    try {
      const open = await this.#options.readOpen(device, signal);
      if (!open.isComplete) record.problem('', new Error('not all open files of this host can be seen'));
      return open;
    } catch (error) {
      signal.throwIfAborted();
      record.problem('', new Error('open files of this host cannot be seen', { cause: error }));
      return { ids: new Set(), isComplete: false };
    }
  }
}

/** A clean-up that broke off; its report tells what it had done. */
export class CleanUpFailed extends Error {
  readonly report: LogsReport;

  constructor(report: LogsReport, cause: unknown) {
    super(report.error, { cause });
    this.report = report;
  }
}

async function openRoot(path: string): Promise<HeldDirectory> {
  try {
    return await HeldDirectory.open(path);
  } catch (error) {
    if (isCode(error, 'ENOENT')) throw new NoLogRoot(`there is no ${path} on this host`);
    if (isCode(error, 'ELOOP', 'ENOTDIR')) throw new Error(`${path} is not a directory`, { cause: error });
    throw error;
  }
}

async function namesIn(directory: HeldDirectory): Promise<FileName[]> {
  const names: FileName[] = [];
  for await (const { name } of directory.entries()) names.push(name);
  return names;
}
