import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Role } from '../../model/roles.ts';
import { commonDefaults, commonFixed } from '../defaults.ts';
import { EngineError } from '../errors.ts';
import type { Stand } from '../family.ts';
import { FamilyProfile } from '../family.ts';
import { ensurePrivateDirectory, removeDurably, writeFileAtomic, writeIfChanged } from '../files.ts';
import type { EngineOptions, EngineTools } from '../options.ts';
import { Place } from '../place.ts';
import { createDatabaseSystem } from '../postgresql/initdb.ts';
import type { ImageFacts, InitializeRequest, Report } from '../profile.ts';
import type { SettingLayers } from '../settings.ts';
import { POLAR_DEFAULTS, polarFixed } from './settings.ts';

/** A gigabyte per segment, PolarDB's default, would write 1 GB into the member's own directory first (engines.md 9). */
const WAL_SEGMENT_MIB = 16;
const INITDB_LIMIT_MS = 600_000;

/**
 * PolarDB 15 on a mounted file system (`localfs`, direct I/O). A member has two directories: its own (`pgdata`:
 * configuration, role file, caches) and the durable one (`store`), which `polar-initdb.sh` fills or refers to. Configuration
 * lies in the member's own directory, where the engine's other programs look for it. Seen with PolarDB 15.8.2.0.
 */
export abstract class PolarFamily extends FamilyProfile {
  readonly engine = 'polardb';
  protected readonly node: string;
  protected readonly confDir: string;
  protected readonly store: Place;
  /** The member's own directory. What a finished one holds is the engine's business, so the marker alone decides. */
  protected readonly own: Place;

  /** @param storeDir the durable directory, absolute and without a slash at its end */
  constructor(options: EngineOptions, image: ImageFacts, tools: EngineTools, storeDir: string) {
    super(options, image, tools);
    this.node = join(options.dataDir, 'pgdata');
    this.confDir = this.node;
    this.store = new Place(storeDir, 'global/pg_control', options.user);
    this.own = new Place(this.node, '.', options.user);
  }

  /** File that makes a boot a follower's: `replica.signal` shares the storage, `standby.signal` has its own. */
  protected abstract readonly followerSignal: string;

  serves(): boolean {
    return true;
  }

  /** initdb makes an ordinary directory, polar-initdb.sh moves the durable part of it to the store. */
  async initialize({ settings }: InitializeRequest, report: Report): Promise<void> {
    await this.accept(settings);
    const { user } = this.options;
    await this.store.fill('initialize', async () => {
      await this.discardOwn();
      await this.own.fill('initialize', async () => {
        report({ phase: 'Initializing' });
        const { binDir, major } = this.image;
        const extraArgs = [`--wal-segsize=${WAL_SEGMENT_MIB}`];
        await createDatabaseSystem({ run: this.tools.run, binDir, directory: this.node, major, user, extraArgs });
        report({ phase: 'MovingToStore' });
        await this.#moveToStore();
        await this.demote();
      });
    });
  }

  async demote(): Promise<void> {
    await ensurePrivateDirectory(this.node, this.options.user);
    await writeIfChanged(this.signalFile, '', this.options.user);
  }

  protected layers({ upstream, quorum }: Stand): Omit<SettingLayers, 'wanted'> {
    const { options, confDir, tlsDir } = this;
    return {
      defaults: { ...commonDefaults(this.image), ...POLAR_DEFAULTS },
      fixed: {
        ...commonFixed({ options, confDir, tlsDir, upstream, quorum }),
        ...polarFixed(this.store.directory, options.hostId ?? 1),
      },
    };
  }

  protected async writeRole(_role: Role, asFollower: boolean): Promise<void> {
    if (asFollower) await this.demote();
    else await removeDurably(this.signalFile);
  }

  protected get signalFile(): string {
    return join(this.node, this.followerSignal);
  }

  /** The script insists on a configuration, which it does not read, and leaves to others that the copy reaches the disk. */
  async #moveToStore(): Promise<void> {
    const conf = join(this.node, 'postgresql.conf');
    await writeFileAtomic(conf, '', this.options.user);
    await this.polarInitdb('primary');
    await removeDurably(conf);
    await this.run('initdb', ['--sync-only', `--pgdata=${this.store.directory}`], INITDB_LIMIT_MS);
  }

  /** Both paths must be absolute and end in a slash ("must be the full path", "must end with /"). */
  protected async polarInitdb(kind: 'primary' | 'replica'): Promise<void> {
    const args = [`${this.node}/`, `${this.store.directory}/`, kind, 'localfs'];
    await this.run('polar-initdb.sh', args, INITDB_LIMIT_MS);
  }

  /** The member's own directory holds nothing durable, so a stale one goes without a question. */
  protected async discardOwn(): Promise<void> {
    await rm(this.node, { recursive: true, force: true });
  }

  protected requireStore(state: string): void {
    if (state === 'initialized') return;
    throw new EngineError('NotInitialized', `${this.store.directory} is ${state}`);
  }
}
