/** What the newest clean-up of logs did on this host. */
export interface LogsFact {
  /** Files and folders that are gone. */
  deleted: number;
  deletedBytes: number;
  /** Where the rest stood, bytes; absent: not known. */
  freeBytes?: number;
}
