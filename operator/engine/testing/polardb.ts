import type { Settings } from '../profile.ts';
import { SMALL } from './member.ts';

/** Programs of a PolarDB 15 on this machine, which no registry has as a package: named by a person, or not tested. */
export const POLAR_BIN_DIR = process.env.POLARDB_BIN_DIR;

/** As SMALL, with PolarDB's own buffers small too. */
export const SMALL_POLAR: Settings = {
  ...SMALL,
  polar_logindex_mem_size: '16MB',
  polar_xlog_queue_buffers: '16MB',
  polar_xlog_page_buffers: '16MB',
  polar_copy_buffers: '8MB',
};
