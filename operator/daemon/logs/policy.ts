/** What the clean-up of logs may delete, and when. */
export interface LogPolicy {
  /**
   * Days. Engine logs and `rm_data_*` folders go when they are older; the folder of an instance that nobody names goes
   * when nothing in it is newer and nobody has named it for so long (`--ins-folder-overdue-days` of the original).
   */
  overdueDays: number;
  /** Days that a folder that went lies in the trash before its data is deleted. */
  trashDays: number;
  /** Days after which an engine log that is no longer written is compressed. */
  compressAfterDays: number;
  /** Engine logs of one instance may take so many bytes on the disk; beyond it the oldest go. */
  maxInstanceLogBytes: number;
  /** When the file system is used more than this, the oldest engine logs go, per cent ... */
  diskHighPercent: number;
  /** ... until it is used no more than this. */
  diskLowPercent: number;
}

const GIB = 2 ** 30;

export const DEFAULT_LOG_POLICY: LogPolicy = {
  overdueDays: 3,
  trashDays: 3,
  compressAfterDays: 1,
  maxInstanceLogBytes: 10 * GIB,
  diskHighPercent: 85,
  diskLowPercent: 75,
};

export const DAY_MS = 24 * 3_600_000;

/** Limits of size and space spare what was written within this time, ms: it may be in use though it is not the newest. */
export const SETTLED_MS = 3_600_000;

/** What a site may say of it, beside the days; docs/concepts/hosts.md names the keys. */
export interface LogLimits {
  maxInstanceLogBytes: number;
  diskHighPercent: number;
}

export const DEFAULT_LOG_LIMITS: LogLimits = {
  maxInstanceLogBytes: DEFAULT_LOG_POLICY.maxInstanceLogBytes,
  diskHighPercent: DEFAULT_LOG_POLICY.diskHighPercent,
};

/** The policy of a site. A clean-up makes room for some time: a tenth of the disk. */
export const logPolicy = (overdueDays: number, limits: LogLimits): LogPolicy => ({
  ...DEFAULT_LOG_POLICY,
  ...limits,
  overdueDays,
  diskLowPercent: Math.max(0, limits.diskHighPercent - 10),
});
