import type { EngineName, Role, Topology } from '../model/roles.ts';
import type { OsUser } from './programs.ts';
import type { SqlAddress } from './sql.ts';

/**
 * What the agent needs of an engine. A profile knows files, programs and SQL of its engine; it never keeps a process
 * running, never decides a role and never talks to Kubernetes. The agent's supervisor runs what `launch` returns.
 */
export interface EngineProfile {
  readonly engine: EngineName;
  readonly topology: Topology;
  /** Where the running engine takes SQL of the agent, as its superuser (`withSession`). */
  readonly sql: SqlAddress;

  /** Does an engine process run in this role? In `share` of stock PostgreSQL only the RW does; others stand ready. */
  serves(role: Role): boolean;

  /** What the image really holds, as it was found when the profile was opened; undefined when that is no engine. */
  readonly image: ImageFacts | undefined;

  /** What lies in the data directory, without changing it. */
  look(): Promise<DataFacts>;

  /** Makes a new, empty database system (initdb). Refuses anything but a blank place. Safe to repeat after a crash. */
  initialize(request: InitializeRequest, report: Report): Promise<void>;

  /** Fills this member's own place from the RW: base backup in `local`, skeleton in `share`. Safe to repeat. */
  join(upstream: Upstream, report: Report): Promise<void>;

  /**
   * Writes configuration and signal files for the role, then says what to run. Called right before each start, and only
   * when the caller has proven that nothing of the former engine is left; throws StillRunning when it sees otherwise.
   * After a launch as RW, `promote` follows: what was a follower when it ended (and must open a new timeline), and a PolarDB
   * that lost its local directory, boot as followers first.
   */
  launch(request: LaunchRequest): Promise<Launch>;

  /**
   * Makes the running engine RW and returns when it accepts writes; waits for one that is still starting, and returns at
   * once when it is RW already. In `local` the timeline that it opens has the number of `epoch`, that of the grant.
   * `signal` bounds the wait.
   */
  promote(epoch: number, signal: AbortSignal): Promise<void>;

  /**
   * Makes the place boot as a follower from now on, fsynced: the demotion that outlives a crash. Touches nothing on a
   * volume that another member may own by now.
   */
  demote(): Promise<void>;

  /**
   * Makes a member follow again whose history has parted from the RW's (`local`): rewinds its data, and where that is not
   * wanted or fails, fills the place anew. The engine must be stopped. Interrupted, only `join` will do; but before the
   * first write to the data nothing is lost, nor when the RW is not reached.
   * @throws ProgramError when the RW is not reached; the signal's reason
   */
  rejoin(request: RejoinRequest, report: Report): Promise<Rejoined>;

  /** Points a running follower at another RW by reload. */
  follow(upstream: Upstream): Promise<void>;

  /**
   * Cuts a running follower from its upstream, whose pass file the caller has removed, and tells how far its log goes.
   * It follows nobody until `follow` or `launch`.
   */
  cut(signal: AbortSignal): Promise<LogEnd>;

  /**
   * What commits wait for from now on, on the RW; on a follower from its promotion on. The caller gives it to later
   * launches again.
   * @returns the flushed position since when it is proven in force; undefined where no RW runs
   */
  setQuorum(change: QuorumChange): Promise<string | undefined>;

  /** A cheap way to look often. */
  watch(limitMs: number): EngineWatch;

  /** What the running engine says; fields it cannot tell are absent. Throws when SQL does not answer in time. */
  observe(signal: AbortSignal): Promise<EngineFacts>;

  /**
   * Replaces the settings by these, atomically, and reloads when the engine runs; tells which wait for a restart. The
   * engine itself checks them first. Also takes renewed certificates into use.
   * @throws SettingsError, and then nothing is changed
   */
  configure(settings: Settings): Promise<ConfigureResult>;
}

/** Engine parameters by name, values as written in postgresql.conf without quotes. */
export type Settings = Readonly<Record<string, string>>;

/** Progress of long work: `done` and `total` in bytes where known. */
export type Report = (progress: { phase: string; done?: number; total?: number }) => void;

export interface ImageFacts {
  engine: EngineName;
  /** For example `15.8` or, for PolarDB, `15.8.2.0`. */
  version: string;
  /** Major version, which data and image must share. */
  major: number;
  binDir: string;
  /** Those libraries of `shared_preload_libraries` that we want and that the image holds. */
  preload: readonly string[];
}

/** In `share` this is the shared volume; the member's own directory is made anew whenever it is missing. */
export interface DataFacts {
  /** `partial`: an interrupted initialize or join, to be done again. `foreign`: files that no engine of ours made. */
  state: 'blank' | 'partial' | 'initialized' | 'foreign';
  systemId?: string;
  timeline?: number;
}

export interface InitializeRequest {
  settings: Settings;
}

export interface Upstream {
  /** A name in the RW's certificate, which is verified in full (libpq `host`). */
  host: string;
  /** Address to dial (libpq `hostaddr`): needs no DNS, and changes when the RW moves. */
  address: string;
  port: number;
  /** Physical replication slot on the RW, made before. */
  slot: string;
  /** Names the incarnation, never the instance alone (protocol, Words). At most 63 bytes: the engine cuts the rest off. */
  applicationName: string;
  /** File of mode 600 in PostgreSQL's passfile format with the password of `replicator`. */
  passFile: string;
}

export interface LaunchRequest {
  role: Role;
  /** Followers only. */
  upstream?: Upstream;
  settings: Settings;
  /** Default: commits wait for nobody. */
  quorum?: QuorumSetting;
}

/** Commits wait for `k` of these application names. */
export interface QuorumSetting {
  members: readonly string[];
  k: number;
}

export interface QuorumChange {
  setting: QuorumSetting;
  /** The one before, proven in force; undefined: nothing is known of it. */
  former?: QuorumSetting;
}

export interface RejoinRequest {
  upstream: Upstream;
  mayRewind: boolean;
  signal: AbortSignal;
}

export interface Rejoined {
  how: 'rewound' | 'copied';
  /** Why it was not rewound. */
  message?: string;
}

/** How far the log of a follower goes, all of it flushed. */
export interface LogEnd {
  timeline: number;
  /** `X/X`. */
  lsn: string;
}

export interface EngineWatch {
  /** Throws when SQL does not answer in time. */
  look(): Promise<EngineLook>;
  close(): void;
}

/** What is looked at often; see EngineFacts. */
export interface EngineLook extends Omit<EngineFacts, 'pendingRestart'> {
  /** Followers: address that the receiver uses. */
  upstreamAddress?: string;
  /** RW: who streams from here. */
  senders?: readonly { name: string; flushedLsn?: string; state: string }[];
}

export interface Launch {
  command: string;
  args: string[];
  env: Readonly<Record<string, string>>;
  cwd: string;
  /** Only when the agent itself is root. */
  user?: OsUser;
  /** Signal ladder of a stop: fast first, then immediate. */
  stopSignals: { fast: NodeJS.Signals; immediate: NodeJS.Signals };
}

export interface EngineFacts {
  role: Role;
  acceptsWrites: boolean;
  timeline?: number;
  /** Flushed (RW) or received (follower) position, `X/X`. */
  lsn?: string;
  /** Followers: is the receiver streaming from the right RW? */
  streaming?: boolean;
  pendingRestart: readonly string[];
}

export interface ConfigureResult {
  changed: readonly string[];
  needRestart: readonly string[];
}
