import * as z from 'zod';
import { orderSchema, settingsSchema, upstreamSchema } from '../agent-api/schemas.ts';
import { hashSettings } from '../agent-api/hash.ts';
import { Turns } from '../engine/turns.ts';
import { acceptCommand, type CommandStamp } from '../ha/command.ts';

const planSchema = z.object({
  role: z.enum(['rw', 'ro', 'standby', 'stopped']),
  upstream: upstreamSchema.optional(),
});

const incarnationSchema = z.object({ instanceId: z.string(), podUid: z.string(), nonce: z.string() });

/** What outlives the agent's process, on the instance's own volume. Unknown fields of a later release are dropped. */
const persistedSchema = z.object({
  /** The highest command obeyed; lower ones are refused for good. */
  highest: orderSchema.optional(),
  /** Epoch of the newest demotion: not RW again without a grant that is read from the record. */
  demotedEpoch: z.number().optional(),
  /** What this member was last told to be. A restarted container goes on with a follower, never with an RW. */
  plan: planSchema.default({ role: 'stopped' }),
  /** Epoch for which it told its position and was cut from the RW of before. */
  preparedEpoch: z.number().optional(),
  /** What commits wait for when this member is RW (ha/member.ts). */
  quorum: z
    .object({ epoch: z.number(), generation: z.number(), members: z.array(incarnationSchema), k: z.number() })
    .optional(),
  /** The data was rewound and has not streamed since: if it does not fit now either, rewinding again helps nobody. */
  rewound: z.boolean().optional(),
  settings: settingsSchema.default({}),
});

export type Plan = z.infer<typeof planSchema>;
export type Persisted = z.infer<typeof persistedSchema>;

/** Reads and replaces one small file, durably: when `write` has returned, the content survives a power cut. */
export interface DurableFile {
  read(): Promise<string | undefined>;
  write(content: string): Promise<void>;
}

/** What to change, or how, by what is kept when its turn has come; it may throw, and then nothing is changed. */
export type Change = Partial<Persisted> | ((now: Readonly<Persisted>) => Partial<Persisted>);

/** Changes go to the file first; what this process believes is never ahead of what a crash would leave. */
export class StateStore {
  readonly #file: DurableFile;
  #now: Persisted;
  /** One change at a time, each on top of the one before. */
  readonly #turns = new Turns();

  private constructor(file: DurableFile, now: Persisted) {
    this.#file = file;
    this.#now = now;
  }

  /** @throws Error when the file is there and cannot be read: nobody may guess what was promised in it */
  static async open(file: DurableFile): Promise<StateStore> {
    const text = await file.read();
    return new StateStore(file, persistedSchema.parse(text === undefined ? {} : JSON.parse(text)));
  }

  get now(): Readonly<Persisted> {
    return this.#now;
  }

  get settingsHash(): string {
    return hashSettings(this.#now.settings);
  }

  /**
   * Takes a command into the highest seen, durably, together with what obeying it means (`change`).
   * @returns the reason when it may not be obeyed; then nothing is changed
   */
  accept(command: CommandStamp, change: Change = {}): Promise<'ForeignCluster' | 'StaleCommand' | undefined> {
    return this.#turns.take(async () => {
      const verdict = acceptCommand(this.#now.highest, command);
      if (!verdict.accepted) return verdict.reason;
      await this.#write({ ...this.#now, ...this.#resolve(change), highest: verdict.highest });
      return undefined;
    });
  }

  change(change: Change): Promise<void> {
    return this.#turns.take(() => this.#write({ ...this.#now, ...this.#resolve(change) }));
  }

  #resolve(change: Change): Partial<Persisted> {
    return typeof change === 'function' ? change(this.#now) : change;
  }

  async #write(next: Persisted): Promise<void> {
    const content = JSON.stringify(next);
    if (content !== JSON.stringify(this.#now)) await this.#file.write(content);
    this.#now = next;
  }
}
