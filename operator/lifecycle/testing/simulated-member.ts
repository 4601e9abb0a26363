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
  /** Mounted at `/data`. */
  own: SimulatedVolume;
  /** Where the database lies: `own`, or the shared volume. */
  data: SimulatedVolume;
  safety: Safety;
}

/** Test only: one engine container as the operator meets it: of an agent's calls it knows those that the operator makes. */
export abstract class OperatorCalls {
  readonly incarnation: Incarnation;
  readonly note: GrantNote;
  readonly data: SimulatedVolume;
  readonly #parts: MemberParts;

  constructor(parts: MemberParts) {
    this.#parts = parts;
    this.incarnation = parts.incarnation;
    this.note = parts.note;
    this.data = parts.data;
  }

  /** As the health port says it. */
  abstract get isReady(): boolean;
  protected abstract get isRw(): boolean;
  /** The container ends, and everything in it. */
  abstract stop(): void;

  /** Has data of another cluster, which nobody may touch. */
  get isForeign(): boolean {
    const { clusterUid } = this.data;
    return clusterUid !== undefined && clusterUid !== this.#parts.config.cluster.uid;
  }

  initialize(): void {
    this.#parts.safety.initialize(this.#parts.config.cluster.uid, this.data);
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

  protected copyFrom({ data }: OperatorCalls): void {
    this.data.clusterUid = data.clusterUid;
    for (const [name, account] of data.accounts) this.data.accounts.set(name, account);
    for (const [name, database] of data.databases) this.data.databases.set(name, database);
  }

  protected startEngine(role: 'rw' | 'ro'): void {
    const { safety, config, incarnation, data } = this.#parts;
    safety.engineStarts(formatIncarnation(incarnation), { volume: data, group: config.cluster.uid, role });
  }

  protected endEngine(): void {
    this.#parts.safety.engineEnds(formatIncarnation(this.incarnation));
  }

  #onRw(incarnation: string, work: (data: SimulatedVolume) => MadeResult): Promise<MadeResult> {
    if (incarnation !== formatIncarnation(this.incarnation)) {
      return Promise.reject(new AgentError('WrongIncarnation', 'for another incarnation'));
    }
    if (!this.isRw) return Promise.reject(new AgentError('WrongRole', 'this is not the RW'));
    return Promise.resolve(work(this.data));
  }
}

/** Test only: a member that does what {@link SimulatedManager} tells it, without the words of the protocol. */
export class SimulatedMember extends OperatorCalls {
  role: 'stopped' | 'rw' | 'ro' = 'stopped';

  get isReady(): boolean {
    return this.role !== 'stopped';
  }

  protected get isRw(): boolean {
    return this.role === 'rw';
  }

  reign(): void {
    this.stop();
    this.startEngine('rw');
    this.role = 'rw';
  }

  /** Copies the RW's data where it has none, and streams; on a volume that all share it stands ready without an engine. */
  follow(rw: SimulatedMember): void {
    const isShared = this.data === rw.data;
    if (!isShared && this.data.clusterUid === undefined) this.copyFrom(rw);
    if (!isShared) this.startEngine('ro');
    this.role = 'ro';
  }

  stop(): void {
    this.endEngine();
    this.role = 'stopped';
  }
}
