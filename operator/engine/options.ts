import { constants, userInfo } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError } from './errors.ts';
import { processesIn, titleOf } from './processes.ts';
import type { OsUser, RunProgram } from './programs.ts';
import { runProgram } from './programs.ts';
import type { OpenSessionAt, WithSession } from './sql.ts';
import { openSession, withSession } from './sql.ts';

/** Where an engine lives. Nothing of a cluster or of Kubernetes is in it. */
export interface EngineOptions {
  /** Directory of the engine's programs; found by itself when absent. */
  binDir?: string;
  /** The member's own directory: data in `local`, configuration and caches in `share`. */
  dataDir: string;
  /** `share`: the volume of all members. */
  sharedDir?: string;
  /** For the socket, private to this engine and emptied by no one else. */
  runDir: string;
  tls: TlsFiles;
  port: number;
  /** Runs engine programs as this user; needed only when the agent is root. */
  user?: OsUser;
  /** PolarDB: number of this member, unique among the members of a volume, 1 to 512. Default 1. */
  hostId?: number;
}

/** Mounted certificate files in PEM; copied before use, because the engine is strict about owner and mode of a key. */
export interface TlsFiles {
  cert: string;
  key: string;
  /** Verifies the RW when this member streams from it. */
  ca: string;
}

/** Effects of a profile; tests replace them. */
export interface EngineTools {
  run: RunProgram;
  withSession: WithSession;
  openSession: OpenSessionAt;
  /** Ids of processes whose working directory this is; an engine's processes all stand in its data directory. */
  processesIn: (directory: string) => Promise<number[]>;
  /** What a process calls itself; an engine's processes tell there what they do. Empty when it is gone. */
  titleOf: (pid: number) => Promise<string>;
  /** Nothing happens when the process is gone: receivers of a follower without its RW come and go many times a second. */
  signal: (pid: number, signal: NodeJS.Signals) => void;
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Name of the agent's OS user, as peer authentication will see it. */
  osUserName: () => string;
}

export const realTools: EngineTools = {
  run: runProgram,
  withSession,
  openSession,
  processesIn,
  titleOf,
  signal: (pid, signal) => {
    try {
      process.kill(pid, constants.signals[signal]);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  },
  sleep: async (ms, signal) => {
    await sleep(ms, undefined, { signal });
  },
  osUserName: () => {
    try {
      return userInfo().username;
    } catch (error) {
      throw new EngineError('EngineMissing', 'the image has no passwd entry for the user id that the pod runs as', {
        cause: error,
      });
    }
  },
};
