import type { Command } from '../action.ts';
import type { CommandStamp } from '../command.ts';
import type { Taken } from '../member.ts';
import type { AgentBody } from './agent-body.ts';
import type { Persisted } from './agent-state.ts';
import { Following } from './following.ts';
import { Reign } from './reign.ts';
import { failed, Work, type Reply } from './work.ts';

/** What one member can be made to do: checks each command and makes it durable before it is obeyed. */
export class MemberTasks {
  readonly work: Work;
  readonly #agent: AgentBody;
  readonly #reign: Reign;
  readonly #following: Following;

  constructor(agent: AgentBody) {
    this.#agent = agent;
    this.work = new Work(agent);
    this.#reign = new Reign(agent, this.work);
    this.#following = new Following(agent, this.work);
  }

  /** A follower goes on by itself; an RW stays stopped until this incarnation is granted. */
  boot(): void {
    const { persisted, data } = this.#agent;
    if (persisted.plan.role === 'rw') this.work.save({ plan: { role: 'stopped' } });
    if (persisted.plan.role === 'ro' && data.state === 'initialized') this.#following.start();
  }

  obey(command: Command, stamp: CommandStamp, reply: Reply): void {
    const taken = this.#take(command, stamp);
    if (!taken.accepted) {
      reply(failed(taken.reason));
      return;
    }
    if (command.do === 'demote') this.work.abort();
    if (command.do === 'quorum') this.#agent.right.onQuorum({ ...command, epoch: stamp.epoch });
    this.work.save({ ...this.#promised(command, stamp), member: taken.state }, () => {
      this.#hear(command, stamp);
      // One that came right before may have begun meanwhile.
      if (command.do !== 'demote' && this.work.isBusy) reply(failed('Busy'));
      else this.#do(command, stamp, reply);
    });
  }

  /** The right has ended: everything dies at once; the demotion is written down, then it is proven. */
  fence(): void {
    const { right, persisted, engine } = this.#agent;
    this.work.abort();
    const demotedEpoch = Math.max(right.state.epoch, persisted.member.highest?.epoch ?? 0, persisted.demotedEpoch);
    this.#agent.world.tell(() => `${this.#agent.name} fences itself`);
    engine.stop('kill', () => undefined);
    this.work.save({ demotedEpoch, plan: { role: 'stopped' } }, () =>
      this.#reign.stop('kill', demotedEpoch, () => undefined),
    );
  }

  /** A dead engine is held down until told; without anybody to tell it comes back by itself. */
  onExit(): void {
    this.work.abort();
    const { role } = this.#agent.persisted.plan;
    if (role === 'ro') this.#following.restartLater();
    if (role === 'rw') this.#reign.restartAlone();
  }

  #take(command: Command, stamp: CommandStamp): Taken | { accepted: false; reason: string } {
    const { rules } = this.#agent.world;
    const { member } = this.#agent.persisted;
    if (!this.#agent.isMe(command.on)) return { accepted: false, reason: 'WrongIncarnation' };
    if (command.do !== 'demote' && this.work.isBusy) return { accepted: false, reason: 'Busy' };
    if (command.do === 'prepare') return rules.takePrepare(member, stamp);
    if (command.do === 'quorum') {
      const { generation, members, k } = command;
      return rules.takeQuorum(member, stamp, { generation, members, k });
    }
    const acceptance = rules.acceptCommand(member.highest, stamp);
    return acceptance.accepted ? { accepted: true, state: { ...member, highest: acceptance.highest } } : acceptance;
  }

  #hear(command: Command, stamp: CommandStamp): void {
    const { right } = this.#agent;
    if (command.do === 'demote') right.yield(stamp.epoch);
    else right.onRevoked(stamp.epoch);
    right.onStamp(stamp);
  }

  /** Durable before it is done: no restart goes back to being RW, or to the upstream that was cut. */
  #promised(command: Command, { epoch }: CommandStamp): Partial<Persisted> {
    const { persisted, world } = this.#agent;
    if (command.do === 'demote') return { demotedEpoch: epoch, plan: { role: 'stopped' } };
    return command.do === 'prepare' && world.isStreaming ? { plan: { role: persisted.plan.role } } : {};
  }

  #do(command: Command, stamp: CommandStamp, reply: Reply): void {
    const done = (): void => {
      this.#agent.report();
      reply({ state: 'done' });
    };
    switch (command.do) {
      case 'demote':
        this.#reign.stop(command.mode, stamp.epoch, done);
        break;
      case 'promote':
        this.#reign.promote(reply, done);
        break;
      case 'prepare':
        this.#following.prepare(stamp.epoch, reply, done);
        break;
      case 'quorum':
        this.#following.quorum(command, done);
        break;
      case 'follow':
        this.#following.follow(command, reply, done);
        break;
      case 'restart':
        this.#following.restart(done);
        break;
      case 'initialize':
        this.#following.initialize(reply, done);
        break;
      default:
        this.#reign.onRw(command.do, reply, done);
    }
  }
}
