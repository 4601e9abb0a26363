import { join } from 'node:path';
import type { Role } from '../../model/roles.ts';
import type { Stand } from '../family.ts';
import type { EngineOptions, EngineTools } from '../options.ts';
import { OwnLog } from '../own-log.ts';
import { baseBackupArgs, baseBackupProgress } from '../postgresql/basebackup.ts';
import type { ImageFacts, Rejoined, RejoinRequest, Report, Upstream } from '../profile.ts';
import type { SettingLayers } from '../settings.ts';
import { dropMemberSlots } from '../slots.ts';
import { copyTls, tlsCopies } from '../tls.ts';
import { upstreamConninfo } from '../upstream.ts';
import { PolarFamily } from './family.ts';

const DAY_MS = 86_400_000;

/** PolarDB with a volume each: both directories lie on the member's own volume, followers stream as standbys. */
export class PolarLocal extends PolarFamily {
  readonly topology = 'local';
  protected readonly followerSignal = 'standby.signal';
  protected readonly ownLog: OwnLog;

  constructor(options: EngineOptions, image: ImageFacts, tools: EngineTools) {
    super(options, image, tools, join(options.dataDir, 'polardata'));
    this.ownLog = new OwnLog(join(this.store.directory, 'pg_wal'), options.user);
  }

  /** A base backup into both directories. */
  async join(upstream: Upstream, report: Report): Promise<void> {
    if ((await this.store.state()) === 'initialized') return;
    const { user, tls } = this.options;
    await copyTls(tls, this.tlsDir, user);
    const args = [
      ...baseBackupArgs(upstream, tlsCopies(this.tlsDir).ca, this.node),
      `--polardata=${this.store.directory}`,
    ];
    await this.store.fill('join', async () => {
      await this.discardOwn();
      await this.own.fill('join', async () => {
        report({ phase: 'Connecting' });
        const program = this.program('pg_basebackup');
        await this.tools.run({ program, args, user, timeoutMs: DAY_MS, onStderr: baseBackupProgress(report) });
        await this.demote();
      });
    });
  }

  /** Whether pg_rewind does right by the two directories is not known; a copy is. */
  override async rejoin({ upstream, signal }: RejoinRequest, report: Report): Promise<Rejoined> {
    await this.#requireReachable(upstream);
    signal.throwIfAborted();
    if ((await this.store.state()) === 'initialized') await this.store.giveUp('rejoin');
    await this.join(upstream, report);
    return { how: 'copied' };
  }

  /** This data would be gone for nothing: a copy is not to be had without the RW. @throws ProgramError */
  async #requireReachable(upstream: Upstream): Promise<void> {
    const conninfo = upstreamConninfo(upstream, tlsCopies(this.tlsDir).ca);
    await this.run('pg_isready', [`--dbname=${conninfo}`, '--timeout=5'], 10_000);
  }

  /** Snapshots of pages are for replicas that read the RW's files: here they would be 768 MB of zeros, copied by each backup. */
  protected override layers(stand: Stand): Omit<SettingLayers, 'wanted'> {
    const { defaults, fixed } = super.layers(stand);
    return { defaults: { ...defaults, polar_enable_fullpage_snapshot: 'off' }, fixed };
  }

  protected override async writeRole(role: Role, asFollower: boolean): Promise<void> {
    await super.writeRole(role, asFollower);
    if (role !== 'rw') await dropMemberSlots(join(this.store.directory, 'pg_replslot'));
  }

  protected mustBootAsFollower(): Promise<boolean> {
    return this.endedInRecovery();
  }

  protected async prepare(): Promise<void> {
    const state = await this.own.state();
    if (state !== 'initialized') this.requireStore(state);
  }
}
