import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { removeDurably, writeFileAtomic } from '../files.ts';
import type { EngineOptions, EngineTools } from '../options.ts';
import type { ImageFacts, Report, Upstream } from '../profile.ts';
import { dropMemberSlots } from '../slots.ts';
import { PolarFamily } from './family.ts';

/**
 * PolarDB with one volume for all members, read-only ones serving. What the caller has to know (facts/engines.md 4, 9):
 * stop the RW first and the others after it, or its fast stop may never end; drop the slot of a member that is gone; every
 * stop needs the fall-back to immediate; nothing fences a second RW.
 */
export class PolarShare extends PolarFamily {
  readonly topology = 'share';
  protected readonly followerSignal = 'replica.signal';
  /** A promotion on one volume goes on with the same timeline. */
  protected readonly ownLog = undefined;

  constructor(options: EngineOptions & { sharedDir: string }, image: ImageFacts, tools: EngineTools) {
    super(options, image, tools, join(options.sharedDir, 'pgdata'));
  }

  /** An empty skeleton that refers to the volume; no data is copied. */
  async join(_upstream: Upstream, report: Report): Promise<void> {
    this.requireStore(await this.store.state());
    report({ phase: 'MakingSkeleton' });
    await this.prepare();
  }

  /**
   * All members' slots go first: those of the former RW's followers, its own among them, are inactive now, and with them
   * the new RW hangs as soon as its buffers are full, reading too. It gets the slots that it needs anew.
   */
  override async promote(epoch: number, signal: AbortSignal): Promise<void> {
    if (await exists(this.signalFile)) await dropMemberSlots(join(this.store.directory, 'pg_replslot'));
    await super.promote(epoch, signal);
    await removeDurably(this.#skeleton);
  }

  /** The member's own directory may be new with every pod, so it is made whenever it is missing or half made. */
  protected async prepare(): Promise<void> {
    if ((await this.own.state()) === 'initialized') return;
    await this.discardOwn();
    await this.own.fill('skeleton', async () => {
      await writeFileAtomic(this.#skeleton, '', this.options.user);
      await this.polarInitdb('replica');
      await this.demote();
    });
  }

  /** A skeleton that boots as RW comes up as a second, broken-looking RW (`base/5 is missing`). */
  protected mustBootAsFollower(): Promise<boolean> {
    return exists(this.#skeleton);
  }

  /** Beside the directory: it has never been RW since it was made. */
  get #skeleton(): string {
    return `${this.node}.skeleton`;
  }
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
