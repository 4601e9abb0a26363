import { join } from 'node:path';
import type { Role } from '../../model/roles.ts';
import { commonDefaults, commonFixed } from '../defaults.ts';
import { EngineError } from '../errors.ts';
import { FamilyProfile } from '../family.ts';
import type { EngineOptions, EngineTools } from '../options.ts';
import { Place } from '../place.ts';
import type { ImageFacts, InitializeRequest, Report } from '../profile.ts';
import type { SettingLayers } from '../settings.ts';
import { createDatabaseSystem } from './initdb.ts';

/**
 * Stock PostgreSQL with one volume for all members: only the RW runs an engine, the others stand ready. Configuration is
 * the member's own, outside the volume. Nothing here fences: two engines on one directory destroy it, so a start
 * needs the proof that the protocol asks for.
 */
export class PostgresShare extends FamilyProfile {
  readonly engine = 'postgresql';
  readonly topology = 'share';
  protected readonly node: string;
  protected readonly confDir: string;
  protected readonly store: Place;
  /** A start as RW goes on with the same timeline. */
  protected readonly ownLog = undefined;

  constructor(options: EngineOptions & { sharedDir: string }, image: ImageFacts, tools: EngineTools) {
    super(options, image, tools);
    this.node = join(options.sharedDir, 'pgdata');
    this.confDir = join(options.dataDir, 'conf');
    this.store = new Place(this.node, 'global/pg_control', options.user);
  }

  serves(role: Role): boolean {
    return role === 'rw';
  }

  async initialize({ settings }: InitializeRequest, report: Report): Promise<void> {
    await this.accept(settings);
    await this.store.fill('initialize', async () => {
      report({ phase: 'Initializing' });
      const { user } = this.options;
      const { binDir, major } = this.image;
      await createDatabaseSystem({ run: this.tools.run, binDir, directory: this.node, major, user });
    });
  }

  /** A member that stands ready has no data of its own to fill. */
  async join(): Promise<void> {
    const state = await this.store.state();
    if (state !== 'initialized')
      throw new EngineError('NotInitialized', `${this.node} on the shared volume is ${state}`);
  }

  /** Nothing to write: this engine starts as RW only, by a launch that says so, and the volume may be another's by now. */
  demote(): Promise<void> {
    return Promise.resolve();
  }

  protected layers(): Omit<SettingLayers, 'wanted'> {
    const { options, confDir, tlsDir } = this;
    return { defaults: commonDefaults(this.image), fixed: commonFixed({ options, confDir, tlsDir }) };
  }

  protected prepare(): Promise<void> {
    return Promise.resolve();
  }

  protected mustBootAsFollower(): Promise<boolean> {
    return Promise.resolve(false);
  }

  protected writeRole(): Promise<void> {
    return Promise.resolve();
  }
}
