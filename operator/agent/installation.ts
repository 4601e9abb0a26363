import { AgentError } from '../agent-api/errors.ts';
import type { InstallRequest } from '../agent-api/requests.ts';
import type { EngineProfile, Settings, Upstream } from '../engine/profile.ts';
import { mayInitialize } from '../ha/boot.ts';
import type { MemberParts } from './member.ts';
import type { TaskContext } from './tasks.ts';
import { FOREIGN } from './volume.ts';

/** Of data that nobody was RW on yet: it tells a restored record of before the first grant from a group that is new. */
const NO_EPOCH = 0;

/** Fills the place of one member: a new database system, a copy of the RW's, or its own data made to fit again. */
export class Installation {
  readonly #parts: MemberParts;

  constructor(parts: MemberParts) {
    this.#parts = parts;
  }

  async install({ task, command }: InstallRequest, { report, signal }: TaskContext): Promise<void> {
    const { supervisor, volume, profile, killEverythingElse } = this.#parts;
    if (task.kind === 'rejoin') await this.#standStill(signal);
    if (supervisor.state.phase !== 'idle') throw new AgentError('WrongRole', 'the engine runs');
    const endHelpers = (): void => void killEverythingElse();
    signal.addEventListener('abort', endHelpers);
    try {
      if (task.kind === 'initialize') await this.#initialize(task.settings, report);
      else {
        const upstream = await this.#parts.completeUpstream(task.upstream);
        if (task.kind === 'rejoin') await this.#rejoin({ upstream, report, signal });
        else await this.#join(command.epoch, () => profile.join(upstream, report));
      }
      signal.throwIfAborted();
    } finally {
      signal.removeEventListener('abort', endHelpers);
      volume.forget();
    }
  }

  /** Whatever runs here is of the history that is given up. */
  async #standStill(signal: AbortSignal): Promise<void> {
    const { store, supervisor, killEverythingElse } = this.#parts;
    if (store.now.plan.role === 'rw') throw new AgentError('WrongRole', 'this is the RW: demote it first');
    await store.change(() => {
      signal.throwIfAborted();
      return { plan: { role: 'stopped' } };
    });
    supervisor.stop('fast');
    await supervisor.until(state => state.phase === 'idle', signal);
    await killEverythingElse();
  }

  async #rejoin({ upstream, report, signal }: TaskContext & { upstream: Upstream }): Promise<void> {
    const { volume, profile, store, log } = this.#parts;
    const { state } = await volume.state();
    if (state === 'foreign') throw new AgentError('VolumeForeign', FOREIGN);
    if (state === 'blank') throw new AgentError('VolumeBlank', 'there is nothing to rejoin with: join');
    if (state === 'partial') return profile.join(upstream, report);
    // What was rewound and still does not fit is not rewound again.
    const mayRewind = store.now.rewound !== true;
    const { how, message } = await profile.rejoin({ upstream, mayRewind, signal }, report);
    log.info('rejoined', { how, reason: message });
    await store.change({ rewound: how === 'rewound' || undefined });
  }

  async #initialize(settings: Settings, report: Parameters<EngineProfile['initialize']>[1]) {
    const { volume, profile, read, store } = this.#parts;
    const before = await volume.state();
    if (before.state === 'foreign') throw new AgentError('VolumeForeign', FOREIGN);
    // Done before: by a call whose answer was lost, or by an agent that has ended since.
    if (before.state === 'initialized') return;
    const record = await read();
    if (!record || !mayInitialize(record, before)) {
      throw new AgentError('NoRight', 'the record does not show a group that nobody was ever granted');
    }
    await volume.claim(NO_EPOCH);
    await profile.initialize({ settings }, report);
    await store.change({ settings });
  }

  async #join(epoch: number, join: () => Promise<void>): Promise<void> {
    const { volume, profile } = this.#parts;
    const before = await volume.state();
    if (before.state === 'foreign') throw new AgentError('VolumeForeign', FOREIGN);
    // The shared volume was claimed by whoever initialized it; only the member's own part is filled here.
    if (profile.topology === 'share') return join();
    if (before.state === 'initialized') return;
    await volume.claim(epoch);
    await join();
  }
}
