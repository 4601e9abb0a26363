import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { EngineName, Role, Topology } from '../model/roles.ts';
import { formatHbaFile, formatIdentFile, SUPERUSER } from './access.ts';
import { cleanAutoConf } from './auto-conf.ts';
import { formatConf, parseConf } from './conf.ts';
import type { ControlData } from './control.ts';
import { isFollowers, parseControlData } from './control.ts';
import { cut } from './cut.ts';
import { EngineError, SettingsError } from './errors.ts';
import { ensurePrivateDirectory, readIfExists, replaceIfChanged, writeIfChanged } from './files.ts';
import { requireSameMajor } from './image.ts';
import { observe } from './observe.ts';
import type { EngineOptions, EngineTools } from './options.ts';
import type { OwnLog } from './own-log.ts';
import { isOwnedSetting } from './owned.ts';
import type { Place } from './place.ts';
import type * as seam from './profile.ts';
import { programEnv } from './programs.ts';
import { promoteByFile } from './promote.ts';
import { putInForce } from './quorum.ts';
import { clearRemains, requireNothingRuns } from './remains.ts';
import { asArguments, liftedSettings } from './recovery-limits.ts';
import { reload, reloadIn } from './reload.ts';
import { checkWithEngine, compose, differing, normalize, objections } from './settings.ts';
import type { SettingLayers } from './settings.ts';
import type { Session, SqlAddress } from './sql.ts';
import { copyTls } from './tls.ts';
import { Turns } from './turns.ts';
import { SessionWatch } from './watch.ts';

/** What the configuration of the next start depends on. */
export type Stand = Pick<seam.LaunchRequest, 'role' | 'upstream' | 'quorum'>;

/** Longest path of a unix socket (sun_path), its closing NUL included. */
const SOCKET_PATH_BYTES = 108;

/**
 * What all engines of the PostgreSQL family have in common: configuration files, start, promotion by file, observation.
 * A member's directory holds `pgdata` and, beside it, markers, configuration and copies of the certificates.
 */
export abstract class FamilyProfile implements seam.EngineProfile {
  abstract readonly engine: EngineName;
  abstract readonly topology: Topology;
  readonly sql: SqlAddress;
  protected readonly options: EngineOptions;
  readonly image: seam.ImageFacts;
  protected readonly tools: EngineTools;
  #stand: Stand = { role: 'ro' };
  /** What the engine has judged last: its verdict on the same would be the same. */
  #accepted: seam.Settings | undefined;
  /** The files hold what the running engine is not known to have read. */
  #isUnread = false;
  /** Settings that wait for a restart, and that the engine tells of only when it has read its files again. */
  #untold: readonly string[] = [];
  /** Each writes all of the files: one that was put together before another's would take that one's change back. */
  readonly #writers = new Turns();

  constructor(options: EngineOptions, image: seam.ImageFacts, tools: EngineTools) {
    this.options = options;
    this.image = image;
    this.tools = tools;
    this.sql = { socketDir: options.runDir, port: options.port, user: SUPERUSER };
    if (Buffer.byteLength(this.#socket) >= SOCKET_PATH_BYTES) {
      throw new EngineError('BadArgument', `${this.#socket} is too long for a unix socket`);
    }
  }

  abstract serves(role: Role): boolean;
  abstract initialize(request: seam.InitializeRequest, report: seam.Report): Promise<void>;
  abstract join(upstream: seam.Upstream, report: seam.Report): Promise<void>;
  abstract demote(): Promise<void>;

  /** The durable data, with its marker. */
  protected abstract readonly store: Place;
  /** The directory that the postmaster works in. */
  protected abstract readonly node: string;
  /** None on a volume that all members share: a promotion goes on with the same timeline there. */
  protected abstract readonly ownLog: OwnLog | undefined;
  /** Where the configuration files are. */
  protected abstract readonly confDir: string;
  /** Layers around the user's settings. */
  protected abstract layers(stand: Stand): Omit<SettingLayers, 'wanted'>;
  /** Makes the member's own directories fit for a start. */
  protected abstract prepare(): Promise<void>;
  /** Even when it is to be RW: it is promoted then. */
  protected abstract mustBootAsFollower(): Promise<boolean>;
  /** Writes or removes the file that decides how the next boot begins. */
  protected abstract writeRole(role: Role, asFollower: boolean): Promise<void>;

  async look(): Promise<seam.DataFacts> {
    const state = await this.store.state();
    if (state !== 'initialized') return { state };
    const { systemId, timeline, minRecoveryTimeline } = await this.controlData();
    return { state, systemId, timeline: timeline && Math.max(timeline, minRecoveryTimeline ?? 0) };
  }

  async launch(request: seam.LaunchRequest): Promise<seam.Launch> {
    if (!this.serves(request.role)) {
      throw new EngineError(
        'RoleNotServed',
        `a member with role ${request.role} stands ready without an engine process`,
      );
    }
    const state = await this.store.state();
    if (state !== 'initialized') throw new EngineError('NotInitialized', `${this.store.directory} is ${state}`);
    await requireNothingRuns(this.tools, this.node);
    await this.prepare();
    await clearRemains(this.node, this.#socket);
    await requireSameMajor(this.node, this.image);
    const { role, upstream, quorum } = request;
    const stand = { role, upstream, quorum };
    const settings = await this.#accept(request.settings, stand);
    await this.#writers.take(async () => {
      await this.#writeFiles(settings);
      this.#stand = stand;
    });
    const isOwned = (name: string): boolean => isOwnedSetting(this.engine, name);
    const altered = await cleanAutoConf(this.node, isOwned, this.options.user);
    const asFollower = role !== 'rw' || (await this.mustBootAsFollower());
    if (asFollower) await this.ownLog?.release(role === 'rw');
    await this.writeRole(role, asFollower);
    const { logged = {} } = asFollower ? await this.controlData() : {};
    // On the command line, which outranks all files: they keep what is wanted, and the engine tells that it waits.
    const lifted = liftedSettings({ ...settings, ...altered }, logged);
    this.#untold = Object.keys(lifted);
    const command = this.program('postgres');
    return {
      command,
      args: ['-D', this.node, '-c', `config_file=${this.confFile}`, ...asArguments(lifted)],
      env: programEnv(command),
      cwd: this.node,
      user: this.options.user,
      // SIGTERM would wait for clients to leave by themselves.
      stopSignals: { fast: 'SIGINT', immediate: 'SIGQUIT' },
    };
  }

  /** Members of one volume have no history of their own: there is nothing to rewind. */
  async rejoin({ upstream }: seam.RejoinRequest, report: seam.Report): Promise<seam.Rejoined> {
    await this.join(upstream, report);
    return { how: 'copied' };
  }

  async promote(epoch: number, signal: AbortSignal): Promise<void> {
    const { tools, sql: address, node: directory, ownLog } = this;
    const prepare = async (): Promise<void> => ownLog?.reserve(epoch);
    await promoteByFile({ tools, address, directory, prepare, signal });
    this.#stand = { role: 'rw', quorum: this.#stand.quorum };
  }

  async follow(upstream: seam.Upstream): Promise<void> {
    await this.#restand({ upstream, role: this.#follower() });
  }

  cut(signal: AbortSignal): Promise<seam.LogEnd> {
    const { tools, sql: address } = this;
    const uncouple = (session: Session): Promise<void> =>
      this.#restand({ upstream: undefined, role: this.#follower() }, session);
    return cut({ tools, address, uncouple, signal });
  }

  async setQuorum({ setting, former }: seam.QuorumChange): Promise<string | undefined> {
    const { tools, sql: address } = this;
    if (this.#stand.role !== 'rw') {
      await this.#restand({ quorum: setting });
      return undefined;
    }
    return putInForce({
      tools,
      address,
      setting,
      former,
      write: (quorum, session) => this.#restand({ quorum }, session),
    });
  }

  watch(limitMs: number): seam.EngineWatch {
    return new SessionWatch({ tools: this.tools, address: this.sql, follower: () => this.#follower(), limitMs });
  }

  async observe(signal: AbortSignal): Promise<seam.EngineFacts> {
    const facts = await this.tools.withSession(this.sql, it => observe(it, this.#follower()), { signal });
    return { ...facts, pendingRestart: [...new Set([...facts.pendingRestart, ...this.#untold])].sort() };
  }

  async configure(wanted: seam.Settings): Promise<seam.ConfigureResult> {
    await this.#accept(wanted, this.#stand);
    // Before the first start there is nothing to replace: settings come with the launch.
    if ((await readIfExists(this.confFile)) === undefined) return { changed: [], needRestart: [] };
    return this.#writers.take(() => this.#reconfigure(wanted));
  }

  /** By the stand of now: the upstream, or whom commits wait for, may have changed while the engine judged. */
  async #reconfigure(wanted: seam.Settings): Promise<seam.ConfigureResult> {
    const { changed, touched } = await this.#writeFiles(compose({ ...this.layers(this.#stand), wanted }));
    this.#isUnread ||= touched;
    if (!this.#isUnread) return { changed, needRestart: await this.#pendingRestart() };
    const needRestart = (await reload(this.tools, this.sql)) ?? [];
    this.#wasRead();
    return { changed, needRestart };
  }

  /**
   * Was the engine a follower when it ended, or is it a base backup that never started? Booted without its signal file it
   * would go on writing the former RW's timeline; it has to boot as a follower and be promoted, which opens a new one.
   */
  protected async endedInRecovery(): Promise<boolean> {
    if ((await readIfExists(join(this.node, 'backup_label'))) !== undefined) return true;
    return isFollowers(await this.controlData(), this.ownLog?.opening);
  }

  protected program(name: string): string {
    return join(this.image.binDir, name);
  }

  protected run(program: string, args: readonly string[], timeoutMs: number) {
    return this.tools.run({ program: this.program(program), args, timeoutMs, user: this.options.user });
  }

  /** Judges settings before anything is made of them. @throws SettingsError */
  protected async accept(wanted: seam.Settings): Promise<void> {
    await this.#accept(wanted, this.#stand);
  }

  #follower(): Role {
    return this.#stand.role === 'standby' ? 'standby' : 'ro';
  }

  /** Changes what is ours in the configuration of a running engine, and waits until it was read. @throws EngineError `NotRunning` */
  #restand(change: Partial<Stand>, session?: Session): Promise<void> {
    return this.#writers.take(() => this.#rewrite(change, session));
  }

  async #rewrite(change: Partial<Stand>, session: Session | undefined): Promise<void> {
    const conf = parseConf((await readIfExists(this.confFile)) ?? '');
    const { fixed } = this.layers({ ...this.#stand, ...change });
    const { touched } = await this.#writeFiles({ ...Object.fromEntries(conf), ...normalize(fixed) });
    // A promotion may have changed the role meanwhile.
    this.#stand = { ...this.#stand, ...change };
    this.#isUnread ||= touched;
    if (!this.#isUnread) return;
    if (session) await reloadIn(session, this.tools);
    else if (!(await reload(this.tools, this.sql)))
      throw new EngineError('NotRunning', 'no engine runs that could reload');
    this.#wasRead();
  }

  #wasRead(): void {
    this.#isUnread = false;
    this.#untold = [];
  }

  protected async controlData(): Promise<ControlData> {
    return parseControlData((await this.run('pg_controldata', ['-D', this.store.directory], 10_000)).stdout);
  }

  protected get confFile(): string {
    return join(this.confDir, 'postgresql.conf');
  }

  get #socket(): string {
    return join(this.options.runDir, `.s.PGSQL.${this.options.port}`);
  }

  async #accept(wanted: seam.Settings, stand: Stand): Promise<seam.Settings> {
    const problems = objections(wanted, name => isOwnedSetting(this.engine, name));
    if (problems.length > 0) throw new SettingsError(problems);
    const settings = compose({ ...this.layers(stand), wanted });
    if (isDeepStrictEqual(settings, this.#accepted)) return settings;
    const { user, dataDir: directory } = this.options;
    await checkWithEngine({ run: this.tools.run, postgres: this.program('postgres'), directory, user }, settings);
    this.#accepted = settings;
    return settings;
  }

  /** `changed`: settings of the user's that differ from before; `touched`: the engine has something to read again. */
  async #writeFiles(settings: seam.Settings): Promise<{ changed: string[]; touched: boolean }> {
    const { user, tls } = this.options;
    await ensurePrivateDirectory(this.confDir, user);
    await ensurePrivateDirectory(this.options.runDir, user);
    const before = parseConf((await readIfExists(this.confFile)) ?? '');
    const writes = [
      await copyTls(tls, this.tlsDir, user),
      await writeIfChanged(join(this.confDir, 'pg_hba.conf'), formatHbaFile(), user),
      await writeIfChanged(join(this.confDir, 'pg_ident.conf'), formatIdentFile(this.tools.osUserName()), user),
      await replaceIfChanged(this.confFile, formatConf(settings), user),
    ];
    const changed = differing(before, settings).filter(name => !isOwnedSetting(this.engine, name));
    return { changed, touched: writes.includes(true) };
  }

  protected get tlsDir(): string {
    return join(this.options.dataDir, 'tls');
  }

  async #pendingRestart(): Promise<readonly string[]> {
    return (await this.observe(AbortSignal.timeout(5000)).catch(() => undefined))?.pendingRestart ?? [];
  }
}
