import type { LogMode } from './report.ts';

/** What the newest clean-up of logs did on this host. */
export interface LogsFact {
  /** `plan`: the site lets nothing be deleted; the numbers say what would be. */
  mode: LogMode;
  /** Files and folders that are gone. */
  deleted: number;
  deletedBytes: number;
  /** Folders of instances that nobody names, moved to the trash. */
  setAside: number;
  compressed: number;
  problems: number;
  /** Space of the file system, bytes. */
  totalBytes?: number;
  /** As the clean-up found it. */
  freeBytes?: number;
}
