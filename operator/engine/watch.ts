import type { Role } from '../model/roles.ts';
import { LOOK, toLook, type LookRow } from './observe.ts';
import type { EngineTools } from './options.ts';
import type { EngineLook, EngineWatch } from './profile.ts';
import type { OpenSession, SqlAddress } from './sql.ts';

export interface WatchOptions {
  tools: Pick<EngineTools, 'openSession'>;
  address: SqlAddress;
  /** What the engine is when it is in recovery. */
  follower: () => Role;
  /** Limit of one look, connecting included, ms. */
  limitMs: number;
}

/** Looks through one standing session; a broken one is replaced by the next look. One look at a time. */
export class SessionWatch implements EngineWatch {
  readonly #options: WatchOptions;
  #session: OpenSession | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  async look(): Promise<EngineLook> {
    const { tools, address, follower, limitMs } = this.#options;
    try {
      this.#session ??= await tools.openSession(address, { connectMs: limitMs, statementMs: limitMs });
      const [row] = await this.#session.repeat<LookRow>(LOOK);
      return toLook(row!, follower());
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    void this.#session?.close();
    this.#session = undefined;
  }
}
