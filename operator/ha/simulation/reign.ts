import { bootVerdict } from '../boot.ts';
import { isSameIncarnation } from '../incarnation.ts';
import type { MemberState } from '../member.ts';
import type { GroupRecord } from '../record.ts';
import type { AgentBody } from './agent-body.ts';
import { lsnOf } from './data.ts';
import { failed, type Reply, type Work } from './work.ts';

const CHECKPOINT_MS = 60;
const RESTART_MS = 1000;

/** What a member does as RW: becomes it, comes back after a crash, ends. */
export class Reign {
  readonly #agent: AgentBody;
  readonly #work: Work;

  constructor(agent: AgentBody, work: Work) {
    this.#agent = agent;
    this.#work = work;
  }

  /** The record decides, read here and now; the command only says that it is worth a look. */
  promote(reply: Reply, done: () => void): void {
    const { right } = this.#agent;
    const work = this.#work.begin('promote');
    if (right.isGivenByCommand()) {
      this.#begin(work, undefined, done);
      return;
    }
    right.read(record => {
      if (!this.#work.isCurrent(work)) return;
      const objection = this.#objection(record);
      if (objection === undefined) this.#begin(work, record, done);
      else this.#work.end(work, () => reply(failed(objection)));
    });
  }

  onRw(what: 'resume' | 'checkpoint' | 'verify' | 'slots', reply: Reply, done: () => void): void {
    const { engine, right, process, persisted } = this.#agent;
    if (persisted.plan.role !== 'rw') reply(failed('WrongRole'));
    else if (what === 'resume' && engine.state === 'crashed' && right.isHeld) this.start(done);
    else if (what === 'resume' || !engine.isWriting) reply(failed('EngineNotRunning'));
    else process.after(what === 'checkpoint' ? CHECKPOINT_MS : 1, done);
  }

  /** Without anybody to tell it, a crashed RW comes back by itself under its unbroken right. */
  restartAlone(): void {
    const { engine, persisted, right, hasManager, process } = this.#agent;
    if (engine.state !== 'crashed' || persisted.plan.role !== 'rw') return;
    if (hasManager || !right.isHeld) process.after(RESTART_MS, () => this.restartAlone());
    else this.start();
  }

  start(done: () => void = () => undefined): void {
    const { engine, stand } = this.#agent;
    engine.start('rw', stand, this.#opened(done));
  }

  /** Ends with the proof that nothing of the engine is left. */
  stop(mode: 'fast' | 'kill', epoch: number, done: () => void): void {
    const { engine, right, world } = this.#agent;
    engine.stop(mode, () => {
      right.release();
      world.tell(() => `${this.#agent.name} stopped for epoch ${epoch}`);
      this.#agent.stopped = { epoch, at: world.iso() };
      this.#agent.report();
      done();
    });
  }

  #objection(record: GroupRecord | undefined): string | undefined {
    const { incarnation, right, data } = this.#agent;
    if (!record?.holder || !isSameIncarnation(record.holder, incarnation) || !right.isHeld) return 'NoRight';
    const verdict = bootVerdict({ record, me: incarnation, volume: data });
    return verdict.run === 'rw' ? undefined : verdict.reason;
  }

  #begin(work: number, record: GroupRecord | undefined, done: () => void): void {
    const { data, engine, right, incarnation: holder } = this.#agent;
    if (record && record.epoch > data.epoch) Object.assign(data, { epoch: record.epoch, holder });
    const end = (): void => this.#work.end(work, done);
    const member = this.#staged(record);
    this.#work.save({ plan: { role: 'rw' }, member, promotedWith: member.quorum }, () => {
      if (!this.#work.isCurrent(work)) return;
      right.use();
      this.#agent.stopped = undefined;
      if (engine.isWriting) end();
      else if (engine.state === 'running') engine.promote(this.#agent.stand, this.#opened(end));
      else this.start(end);
    });
  }

  /** Synchronous replication as the record asks for it, unless something newer was staged. */
  #staged(record: GroupRecord | undefined): MemberState {
    const { member } = this.#agent.persisted;
    if (!record) return member;
    const { generation, k } = record;
    const members = record.members.map(it => it.incarnation);
    const taken = this.#agent.world.rules.takeQuorum(member, record, { generation, members, k });
    return taken.accepted ? taken.state : member;
  }

  #opened(done: () => void): () => void {
    const { generation } = this.#agent.stand.sync;
    return () => {
      this.#agent.inEffect = { generation, since: BigInt(lsnOf(this.#agent.data)) };
      this.#agent.report();
      done();
    };
  }
}
