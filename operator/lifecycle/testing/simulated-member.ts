import type { AgentConfig } from '../../agent-api/config.ts';
import { AgentError } from '../../agent-api/errors.ts';
import type { AccountRequest, DatabaseRequest } from '../../agent-api/requests.ts';
import type { AgentState, MadeResult } from '../../agent-api/state.ts';
import { formatIncarnation, type Incarnation } from '../../ha/incarnation.ts';
import type { GrantNote } from '../../ha/record.ts';
import type { Safety, SimulatedVolume } from './simulated-data.ts';

export interface MemberParts {
  config: AgentConfig;
  incarnation: Incarnation;
  /** Where it runs. */
  note: GrantNote;
  /** Where the database lies. */
  data: SimulatedVolume;
  safety: Safety;
}

/**
 * Test only: one engine container as the operator meets it. It does what a cluster manager tells it, without the words
 * of the protocol, and of an agent's calls it knows those that the operator makes.
 */
export class SimulatedMember {
  readonly incarnation: Incarnation;
  readonly note: GrantNote;
  readonly data: SimulatedVolume;
  role: 'stopped' | 'rw' | 'ro' = 'stopped';
  readonly #parts: MemberParts;

  constructor(parts: MemberParts) {
    this.#parts = parts;
    this.incarnation = parts.incarnation;
    this.note = parts.note;
    this.data = parts.data;
  }

  get isReady(): boolean {
    return this.role !== 'stopped';
  }

  /** Has data of another cluster, which nobody may touch. */
  get isForeign(): boolean {
    const { clusterUid } = this.data;
    return clusterUid !== undefined && clusterUid !== this.#parts.config.cluster.uid;
  }

  initialize(): void {
    this.#parts.safety.initialize(this.#parts.config.cluster.uid, this.data);
  }

  reign(): void {
    this.stop();
    this.#start('rw');
    this.role = 'rw';
  }

  /** Copies the RW's data where it has none, and streams; on a volume that all share it stands ready without an engine. */
  follow(rw: SimulatedMember): void {
    const isShared = this.data === rw.data;
    if (!isShared && this.data.clusterUid === undefined) {
      this.data.clusterUid = rw.data.clusterUid;
      for (const [name, account] of rw.data.accounts) this.data.accounts.set(name, account);
      for (const [name, database] of rw.data.databases) this.data.databases.set(name, database);
    }
    if (!isShared) this.#start('ro');
    this.role = 'ro';
  }

  stop(): void {
    this.#parts.safety.engineEnds(formatIncarnation(this.incarnation));
    this.role = 'stopped';
  }

  state = (): Promise<AgentState> => Promise.resolve({ engine: { version: '15.4' } } as AgentState);

  account = ({ command, name, level, password }: AccountRequest): Promise<MadeResult> =>
    this.#onRw(command.incarnation, ({ accounts }) => {
      const created = !accounts.has(name);
      accounts.set(name, { password, level });
      return { created };
    });

  database = ({ command, name, owner }: DatabaseRequest): Promise<MadeResult> =>
    this.#onRw(command.incarnation, ({ accounts, databases }) => {
      if (!accounts.has(owner)) throw new AgentError('Refused', `no account "${owner}"`);
      const created = !databases.has(name);
      databases.set(name, { owner });
      return { created };
    });

  #start(role: 'rw' | 'ro'): void {
    const { safety, config, incarnation, data } = this.#parts;
    safety.engineStarts(formatIncarnation(incarnation), { volume: data, group: config.cluster.uid, role });
  }

  #onRw(incarnation: string, work: (data: SimulatedVolume) => MadeResult): Promise<MadeResult> {
    if (incarnation !== formatIncarnation(this.incarnation)) {
      return Promise.reject(new AgentError('WrongIncarnation', 'for another incarnation'));
    }
    if (this.role !== 'rw') return Promise.reject(new AgentError('WrongRole', 'this is not the RW'));
    return Promise.resolve(work(this.data));
  }
}
