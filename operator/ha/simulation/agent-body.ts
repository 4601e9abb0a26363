import type { HeardReport, Prepared } from '../evidence.ts';
import type { Incarnation } from '../incarnation.ts';
import type { HaOptions } from '../options.ts';
import type { PromiseState } from '../promise.ts';
import type { Persisted } from './agent-state.ts';
import type { ApiServer } from './api-server.ts';
import type { Data, OwnVolume } from './data.ts';
import type { EngineKeeper, Stand } from './engine-keeper.ts';
import type { Address, EngineSurroundings } from './engine-run.ts';
import type { Host } from './network.ts';
import type { Process } from './process.ts';
import type { RightKeeping } from './right-keeping.ts';
import type { Rules } from './rules.ts';
import type { Tell, VirtualTime } from './time.ts';

/** What an agent finds around itself. */
export interface AgentWorld extends EngineSurroundings {
  time: VirtualTime;
  api: ApiServer;
  rules: Rules;
  options: HaOptions;
  clusterUid: string;
  /** Members stream (`local`, or a shared volume whose members serve reads). */
  isStreaming: boolean;
  addressOf: (podUid: string) => Address;
  agentOf: (incarnation: Incarnation) => AgentBody | undefined;
  iso: () => string;
  tell: Tell;
}

/** One agent, as what works inside it sees it. */
export interface AgentBody {
  readonly incarnation: Incarnation;
  readonly name: string;
  readonly host: Host;
  readonly process: Process;
  readonly now: number;
  readonly world: AgentWorld;
  readonly right: RightKeeping;
  readonly engine: EngineKeeper;
  readonly volume: OwnVolume;
  readonly data: Data;
  readonly persisted: Persisted;
  readonly stand: Stand;
  readonly hasManager: boolean;
  readonly task: HeardReport['task'];
  readonly leaving: boolean;
  promise: PromiseState;
  stopped?: { epoch: number; at: string };
  prepared?: Prepared;
  /** Generation whose setting every process of the engine has read, and how far it had written then. */
  inEffect?: { generation: number; since: bigint };
  isMe(incarnation: Incarnation): boolean;
  report(): void;
}
