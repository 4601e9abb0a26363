import type { ApiServer, PodObject } from './api-server.ts';
import { RW_TARGETS } from './fault-targets.ts';
import { agentAt, cut, hostAt, onAgent, onApi, others, type Hit } from './fault-hits.ts';
import { BAD, FAIR, API } from './network.ts';
import type { World } from './world.ts';

/** One fault of a schedule. */
export interface Fault {
  /** Since the fault before it, ms. */
  after: number;
  kind: FaultKind;
  /** Whom it hits: the lowest numbers mean the RW, others instances or hosts in their order. */
  target: number;
  /** How long it lasts, ms. */
  lasts: number;
}

/**
 * There expiry says nothing of a frozen host, nor of an engine whose agent and guard are both gone: outside, and said so
 * (protocol).
 */
const isShared = ({ options }: World): boolean => options.topology === 'share';

const frozen = (hit: Hit): void => {
  const { world, end } = hit;
  const host = hostAt(hit);
  if (isShared(world)) return;
  world.frozen.add(host);
  world.machine(host).freeze();
  end(() => world.machine(host).thaw());
};

const deletePod = (hit: Hit, isForced: boolean): void => {
  const { api } = hit.world;
  const uid = agentAt(hit)?.incarnation.podUid;
  if (uid !== undefined) api.changePod(uid, pod => (isForced ? undefined : { ...pod, leaving: true }));
};

const managerAt = ({ world, target }: Hit): number => {
  const leading = world.managers.findIndex(it => it.isLeading);
  return target < RW_TARGETS && leading >= 0 ? leading : target % 2;
};

const killManager = (hit: Hit): void => {
  const at = managerAt(hit);
  hit.world.managers[at]!.process.die();
  hit.end(() => {
    if (!hit.world.managers[at]!.process.isAlive) hit.world.startManager(at);
  });
};

const stopManager = (hit: Hit): void => {
  const { process } = hit.world.managers[managerAt(hit)]!;
  process.stop('fault');
  hit.end(() => process.continue('fault'));
};

/** Somebody else than the kubelet calls a container ended. */
function forge(api: ApiServer, { uid, running }: PodObject): void {
  if (!running) return;
  const { containerId, startedAt } = running;
  const terminated = [{ containerId, startedAt, finishedAt: startedAt }];
  api.changePod(uid, pod => ({ ...pod, terminated }));
}

/** Weight, and what happens. */
const faults = {
  'postmaster killed': [5, onAgent(agent => agent.engine.losePostmaster())],
  'agent killed': [5, onAgent(agent => agent.end())],
  'agent stopped': [
    4,
    onAgent((agent, { world, end }) => {
      if (isShared(world) && !agent.guard.process.isAlive) return;
      agent.process.stop('fault');
      end(() => agent.process.continue('fault'));
    }),
  ],
  'guard killed': [
    2,
    onAgent((agent, { world }) => {
      if (!isShared(world) || agent.process.isRunning) agent.killGuard();
    }),
  ],
  'engine stopped': [
    4,
    onAgent((agent, { end }) => {
      agent.engine.freeze('fault');
      end(() => agent.engine.thaw('fault'));
    }),
  ],
  'host frozen': [3, frozen],
  'host off': [
    3,
    hit => {
      const machine = hit.world.machine(hostAt(hit));
      machine.powerOff();
      hit.end(() => hit.world.powerOn(machine.name));
    },
  ],
  'host called off': [
    2,
    ({ world }) => {
      for (const { name, isOn } of world.machines) {
        if (!isOn) world.api.changeNode(name, node => ({ ...node, outOfService: true }));
      }
    },
  ],
  'status forged': [
    2,
    ({ world: { api, network, machines } }) => {
      const lost = machines.filter(it => !network.leads(it.name, API)).map(it => it.name);
      for (const pod of api.stored.pods.filter(it => it.running && lost.includes(it.node))) forge(api, pod);
    },
  ],
  'host cut off': [
    6,
    hit => {
      const host = hostAt(hit);
      cut(
        hit,
        others(hit, host).flatMap(it => [[host, it] as const, [it, host] as const]),
      );
    },
  ],
  'host cut from others': [
    3,
    hit => {
      const host = hostAt(hit);
      const rest = others(hit, host).filter(it => it !== API);
      cut(
        hit,
        rest.flatMap(it => [[host, it] as const, [it, host] as const]),
      );
    },
  ],
  'two hosts cut off': [
    3,
    hit => {
      const island = [hostAt({ ...hit, target: 0 }), hit.world.machines[hit.target % hit.world.machines.length]!.name];
      const rest = others(hit, '').filter(it => !island.includes(it));
      cut(
        hit,
        island.flatMap(host => rest.flatMap(it => [[host, it] as const, [it, host] as const])),
      );
    },
  ],
  'host cannot send': [
    3,
    hit => {
      const host = hostAt(hit);
      cut(
        hit,
        others(hit, host).map(it => [host, it] as const),
      );
    },
  ],
  'host cannot receive': [
    3,
    hit => {
      const host = hostAt(hit);
      cut(
        hit,
        others(hit, host).map(it => [it, host] as const),
      );
    },
  ],
  'host cut from API': [
    3,
    hit => {
      const host = hostAt(hit);
      cut(hit, [
        [host, API],
        [API, host],
      ]);
    },
  ],
  'hosts cut': [
    3,
    hit => {
      const { world, target } = hit;
      const host = hostAt(hit);
      const other = world.machines[(target * 7 + 1) % world.machines.length]!.name;
      cut(hit, [
        [host, other],
        [other, host],
      ]);
    },
  ],
  'kubelet stopped': [
    2,
    hit => {
      const machine = hit.world.machine(hostAt(hit));
      machine.stopKubelet();
      hit.end(() => machine.startKubelet());
    },
  ],
  'pod deleted': [3, hit => deletePod(hit, false)],
  'pod deleted by force': [3, hit => deletePod(hit, true)],
  'API away': [
    4,
    onApi(
      ({ api }) => (api.isUp = false),
      ({ api }) => (api.isUp = true),
    ),
  ],
  'API hangs': [
    4,
    onApi(
      ({ api }) => (api.hangMs = 6000),
      ({ api }) => (api.hangMs = 0),
    ),
  ],
  'record writes hang': [
    4,
    onApi(
      ({ api }) => (api.recordHangMs = 8000),
      ({ api }) => (api.recordHangMs = 0),
    ),
  ],
  'caches lag': [
    3,
    onApi(
      ({ api }) => (api.lagMs = 4000),
      ({ api }) => (api.lagMs = 20),
    ),
  ],
  'etcd restored': [1, ({ world, lasts }) => world.api.restore(lasts)],
  'manager killed': [4, killManager],
  'manager stopped': [3, stopManager],
  'operator away': [
    1,
    onApi(
      world => (world.isOperatorUp = false),
      world => (world.isOperatorUp = true),
    ),
  ],
  'bad network': [
    2,
    onApi(
      ({ network }) => (network.weather = BAD),
      ({ network }) => (network.weather = FAIR),
    ),
  ],
  'switchover asked': [4, ({ world, target }) => world.askSwitchover(target)],
  nothing: [1, () => undefined],
} satisfies Record<string, [number, (hit: Hit) => unknown]>;

export type FaultKind = keyof typeof faults;

export const FAULT_WEIGHTS = Object.entries(faults).map(([kind, [weight]]) => ({ kind: kind as FaultKind, weight }));

/** Begins a fault; `mended` hears of each way to end it, for the end of the schedule. */
export function begin(world: World, { kind, target, lasts }: Fault, mended: (mend: () => void) => void): void {
  const [, hit] = faults[kind];
  const end = (mend: () => void): void => {
    const cancel = world.time.after(lasts, mend);
    mended(() => {
      cancel();
      mend();
    });
  };
  hit({ world, target, lasts, end });
}
