import { join } from 'node:path';
import type { Role } from '../../model/roles.ts';
import { commonDefaults, commonFixed } from '../defaults.ts';
import { isClean } from '../control.ts';
import type { Stand } from '../family.ts';
import { FamilyProfile } from '../family.ts';
import { ensurePrivateDirectory, removeDurably, writeIfChanged } from '../files.ts';
import type { EngineOptions, EngineTools } from '../options.ts';
import { OwnLog } from '../own-log.ts';
import { Place } from '../place.ts';
import type { ImageFacts, InitializeRequest, Rejoined, RejoinRequest, Report, Upstream } from '../profile.ts';
import type { SettingLayers } from '../settings.ts';
import { dropMemberSlots } from '../slots.ts';
import { copyTls, tlsCopies } from '../tls.ts';
import { baseBackupArgs, baseBackupProgress } from './basebackup.ts';
import { createDatabaseSystem } from './initdb.ts';
import { KeptLog } from './kept-log.ts';
import { isUnreachable, keepingConf, rewindArgs, RewindOutput } from './rewind.ts';

const DAY_MS = 86_400_000;

/** Stock PostgreSQL with a volume each: followers are filled by a base backup and stream with a slot. */
export class PostgresLocal extends FamilyProfile {
  readonly engine = 'postgresql';
  readonly topology = 'local';
  protected readonly node: string;
  protected readonly confDir: string;
  protected readonly store: Place;
  protected readonly ownLog: OwnLog;

  constructor(options: EngineOptions, image: ImageFacts, tools: EngineTools) {
    super(options, image, tools);
    this.node = join(options.dataDir, 'pgdata');
    this.confDir = join(options.dataDir, 'conf');
    this.ownLog = new OwnLog(join(this.node, 'pg_wal'), options.user);
    this.store = new Place(this.node, 'global/pg_control', options.user);
  }

  serves(): boolean {
    return true;
  }

  async initialize({ settings }: InitializeRequest, report: Report): Promise<void> {
    await this.accept(settings);
    await this.store.fill('initialize', async () => {
      report({ phase: 'Initializing' });
      const { user } = this.options;
      const { binDir, major } = this.image;
      await createDatabaseSystem({ run: this.tools.run, binDir, directory: this.node, major, user });
      await this.demote();
    });
  }

  /** Done already when the place holds a database: that it is the right one, the volume's identity says. */
  async join(upstream: Upstream, report: Report): Promise<void> {
    if ((await this.store.state()) === 'initialized') return;
    const { user, tls } = this.options;
    await copyTls(tls, this.tlsDir, user);
    const args = baseBackupArgs(upstream, tlsCopies(this.tlsDir).ca, this.node);
    await this.store.fill('join', async () => {
      report({ phase: 'Connecting' });
      await this.#keptLog.drop();
      const program = this.program('pg_basebackup');
      await this.tools.run({ program, args, user, timeoutMs: DAY_MS, onStderr: baseBackupProgress(report) });
      await this.demote();
    });
  }

  override async rejoin(request: RejoinRequest, report: Report): Promise<Rejoined> {
    const problem = await this.#rewind(request, report);
    if (problem === undefined) return { how: 'rewound' };
    request.signal.throwIfAborted();
    if ((await this.store.state()) === 'initialized') await this.store.giveUp('rejoin');
    await this.join(request.upstream, report);
    return { how: 'copied', message: problem };
  }

  /** @returns why not, or undefined when it is done */
  async #rewind({ upstream, mayRewind, signal }: RejoinRequest, report: Report): Promise<string | undefined> {
    if (!mayRewind) return 'not wanted';
    const { user, tls } = this.options;
    await copyTls(tls, this.tlsDir, user);
    const { ca } = tlsCopies(this.tlsDir);
    const configFile = join(this.confDir, 'rewind.conf');
    await writeIfChanged(configFile, keepingConf(this.confFile), user);
    const args = rewindArgs({ upstream, caFile: ca, directory: this.node, configFile });
    const output = new RewindOutput(await this.#wasKilledAsFollower());
    const work = async (): Promise<void> => {
      report({ phase: 'Rewinding' });
      signal.throwIfAborted();
      await this.#runRewind(args, output);
    };
    try {
      await this.store.rework('rewind', work, () => output.isUntouched);
      return undefined;
    } catch (error) {
      // The RW is gone, and this data would be gone for nothing: whoever asks again finds it as it was.
      if (output.isUntouched && isUnreachable(error)) throw error;
      return error instanceof Error ? error.message : String(error);
    }
  }

  async #runRewind(args: readonly string[], output: RewindOutput): Promise<void> {
    const { user } = this.options;
    const program = this.program('pg_rewind');
    // The recovery of a killed engine runs without a postmaster, which refuses to be a follower.
    await removeDurably(this.#signal);
    await this.#keptLog.keep();
    try {
      await this.tools.run({ program, args, user, timeoutMs: DAY_MS, onStderr: line => output.line(line) });
      output.requireFit();
      if (output.fork) await this.#keptLog.giveBack(this.node, output.fork);
    } finally {
      // While the marker of the rewind stands; what it could not drop goes before the copy that follows.
      await this.#keptLog.drop();
      await this.demote();
    }
  }

  /** Also where nobody can tell. */
  async #wasKilledAsFollower(): Promise<boolean> {
    try {
      return (await this.endedInRecovery()) && !isClean(await this.controlData());
    } catch {
      return true;
    }
  }

  async demote(): Promise<void> {
    await ensurePrivateDirectory(this.node, this.options.user);
    await writeIfChanged(this.#signal, '', this.options.user);
  }

  protected layers({ upstream, quorum }: Stand): Omit<SettingLayers, 'wanted'> {
    const { options, confDir, tlsDir } = this;
    return { defaults: commonDefaults(this.image), fixed: commonFixed({ options, confDir, tlsDir, upstream, quorum }) };
  }

  protected prepare(): Promise<void> {
    return Promise.resolve();
  }

  protected mustBootAsFollower(): Promise<boolean> {
    return this.endedInRecovery();
  }

  protected async writeRole(role: Role, asFollower: boolean): Promise<void> {
    if (asFollower) await this.demote();
    else await removeDurably(this.#signal);
    if (role !== 'rw') await dropMemberSlots(join(this.node, 'pg_replslot'));
  }

  get #keptLog(): KeptLog {
    return new KeptLog(this.ownLog.directory, `${this.node}.log`);
  }

  /** With this file the engine boots as a follower, whatever it was before. */
  get #signal(): string {
    return join(this.node, 'standby.signal');
  }
}
