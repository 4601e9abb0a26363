import type { StartRequest } from '../../agent-api/requests.ts';
import type { Command } from '../../agent-api/schemas.ts';
import type { Incarnation } from '../../ha/incarnation.ts';
import { formatIncarnation } from '../../ha/incarnation.ts';
import type { GroupRecord } from '../../ha/record.ts';
import { Agent, type AgentParts } from '../agent.ts';
import { jsonLog } from '../log.ts';
import { Member, type MemberParts } from '../member.ts';
import { Replication, type ReplicationParts } from '../replication.ts';
import { StateStore } from '../state-store.ts';
import type { Phase } from '../supervise.ts';
import { Tasks } from '../tasks.ts';
import { FakeClock, settle } from './fake-clock.ts';

export const me: Incarnation = { instanceId: '2', podUid: 'p', nonce: '0000000000000002' };
export const upstream = (address: string) => ({ host: 'db-rw', address, port: 5432, slot: 'polardb_stack_2' });

/** An agent's own parts over an engine that does at once what it is told, and a disk that is as slow as the test wants. */
export class CloseOrders {
  /** Whom the engine follows. */
  follows: string | undefined;
  /** Can its receiver find the password? */
  hasPassword = false;
  phase: Phase = 'running';
  record: GroupRecord | undefined;
  /** A look at the volume waits for it. */
  looking: Promise<void> = Promise.resolve();
  readonly done: string[] = [];
  readonly #writes: (() => void)[] = [];
  #isSlow = false;
  readonly tasks = new Tasks(new FakeClock(), log);
  store!: StateStore;
  member!: Member;
  agent!: Agent;
  #requests = 0;

  static async open(): Promise<CloseOrders> {
    const bed = new CloseOrders();
    bed.store = await StateStore.open({ read: () => Promise.resolve(undefined), write: () => bed.#write() });
    bed.#make();
    return bed;
  }

  /** From now on each write of the agent's state waits for `writeOne`. */
  slowDisk(): void {
    this.#isSlow = true;
  }

  /** Lets the oldest write through. */
  async writeOne(): Promise<void> {
    this.#writes.shift()?.();
    await settle();
  }

  /** Lets one write after the other through until `call` has ended. */
  async writeUntil<T>(call: Promise<T>): Promise<T> {
    const state = { hasEnded: false };
    void call.then(() => (state.hasEnded = true));
    while (!state.hasEnded) await this.writeOne();
    return call;
  }

  async fastDisk(): Promise<void> {
    this.#isSlow = false;
    while (this.#writes.length > 0) await this.writeOne();
  }

  command(epoch: number, generation = 1): Command {
    const requestId = `r${++this.#requests}`;
    return { requestId, incarnation: formatIncarnation(me), clusterUid: 'u', epoch, term: 1, generation };
  }

  startFrom(address: string, epoch: number): StartRequest {
    return { command: this.command(epoch), role: 'ro', upstream: upstream(address), settings: {} };
  }

  #write(): Promise<void> {
    return this.#isSlow ? new Promise(resolve => void this.#writes.push(resolve)) : Promise.resolve();
  }

  #make(): void {
    const { store, tasks } = this;
    const nothing = (): undefined => undefined;
    const profile = {
      topology: 'local',
      serves: () => true,
      follow: ({ address }: { address: string }) => Promise.resolve((this.follows = address)),
      cut: () => {
        this.follows = undefined;
        return Promise.resolve({ timeline: 1, lsn: '0/1' });
      },
      demote: () => Promise.resolve(),
      configure: () => Promise.resolve({ changed: [], needRestart: [] }),
      setQuorum: () => Promise.resolve('0/1'),
      promote: () => Promise.resolve(this.done.push('promoted')),
      launch: () => Promise.resolve({}),
    };
    const supervisor = this.#supervisor();
    const right = {
      acquire: () => Promise.resolve(this.record),
      state: { epoch: 1, generation: 1 },
      revoked: nothing,
      yielded: nothing,
      commanded: nothing,
      release: nothing,
    };
    const promises = { epochKnown: nothing, prepared: nothing, ageMs: 0 };
    const removePassFile = () => Promise.resolve(void (this.hasPassword = false));
    const common = { store, profile, supervisor, right, promises, log };
    const volume = {
      state: () => this.looking.then(() => ({ state: 'initialized', clusterUid: 'u', epoch: 1 })),
      forget: nothing,
      raiseEpoch: () => Promise.resolve(),
    };
    const completeUpstream = (it: object) => {
      this.hasPassword = true;
      return Promise.resolve(it);
    };
    const killEverythingElse = () => Promise.resolve();
    const limits = { promoteMs: 1_000 };
    const coupling = { completeUpstream, removePassFile };
    const replication = new Replication({ ...common, ...coupling } as unknown as ReplicationParts);
    const parts = { ...common, me, replication, volume, completeUpstream, killEverythingElse, limits };
    this.member = new Member(parts as unknown as MemberParts);
    const names = { clusterUid: 'u', incarnation: formatIncarnation(me), cluster: 'orders', told: nothing };
    this.agent = new Agent({ ...names, ...common, tasks, replication, member: this.member } as unknown as AgentParts);
  }

  #supervisor() {
    const at = (): { phase: Phase } => ({ phase: this.phase });
    return {
      get state() {
        return at();
      },
      start: () => void (this.phase = 'running'),
      stop: () => void (this.phase = 'idle'),
      until: () => Promise.resolve(at()),
    };
  }
}

const log = jsonLog(() => undefined, {});
