import { expect } from 'chai';
import fc from 'fast-check';
import type { GroupView } from './decide.ts';
import { formatIncarnation } from './incarnation.ts';
import type { MemberReport } from './evidence.ts';
import type { Container } from './testing/hosts.ts';
import { World, type Mutation } from './testing/world.ts';

type Event = (world: World) => void;

const everyContainer = (does: (world: World, it: Container) => void): Event => {
  return world => {
    for (const it of world.containers()) does(world, it);
  };
};

/** Everybody does his work once. */
const round =
  (place: number): Event =>
  world => {
    for (const node of world.nodes) world.kubeletRuns(node);
    for (const node of world.nodes) world.kubeletPosts(node);
    world.gather(0);
    world.act(0);
    world.deliver(0);
    for (const it of world.containers()) world.agentHandles(it);
    world.release();
    world.createPod(place);
  };
const rounds =
  (count: number, place: number): Event =>
  world => {
    for (let i = 0; i < count; i++) round(place)(world);
  };

/** Weight and deed by name, so that a failed schedule reads as a story. */
const events: Record<string, [number, Event]> = {
  'operator works': [3, world => world.work(0)],
  'operator gathers': [2, world => world.gather(1)],
  'operator gathers from an old list of pods': [1, world => world.gather(1, { stale: true })],
  'operator gathers and old answers come': [3, world => world.gather(1, { late: true })],
  'operator acts on what it gathered': [4, world => world.act(1)],
  'command arrives': [2, world => world.deliver(0)],
  'later command arrives first': [1, world => world.deliver(1)],
  'agents read': [2, everyContainer((world, it) => world.agentSends(it))],
  'agents handle what they read': [3, everyContainer((world, it) => world.agentHandles(it))],
  'pods that may go do': [1, world => world.release()],
  'agents are killed': [3, everyContainer((world, it) => world.kill(it))],
  'pod is deleted': [2, world => world.deletePod()],
  'finalizers are stripped': [2, world => world.stripFinalizers()],
  'cluster is stopped': [1, world => (world.wanted = 'stopped')],
  'cluster is started': [3, world => (world.wanted = 'running')],
};
for (const i of [0, 1]) {
  const name = 'ab'.charAt(i);
  events[`work, new pods on ${name}`] = [6, round(i)];
  events[`much work, new pods on ${name}`] = [4, rounds(6, i)];
  events[`pod is made on ${name}`] = [1, world => world.createPod(i)];
  events[`kubelet ${name} runs`] = [3, world => world.kubeletRuns(world.nodes[i]!)];
  events[`kubelet ${name} posts`] = [2, world => world.kubeletPosts(world.nodes[i]!)];
  events[`link of ${name} cut`] = [3, world => (world.nodes[i]!.linked = false)];
  events[`link of ${name} back`] = [4, world => (world.nodes[i]!.linked = world.nodes[i]!.on)];
  events[`status on ${name} forged`] = [2, world => world.forge(world.nodes[i]!)];
  events[`host ${name} off`] = [1, world => world.powerOff(world.nodes[i]!)];
  events[`host ${name} tainted`] = [2, world => world.taint(world.nodes[i]!)];
  events[`host ${name} on`] = [2, world => world.powerOn(world.nodes[i]!)];
}

const names = fc.oneof(...Object.entries(events).map(([name, [weight]]) => ({ weight, arbitrary: fc.constant(name) })));
const anything = fc.array(names, { minLength: 5, maxLength: 60, size: 'max' });

/** A story in its order, now and then with something else between its events. */
const quietOrNot = fc.oneof({ weight: 9, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: names.map(it => [it]) });
const told = (story: readonly string[]): fc.Arbitrary<string[]> =>
  fc.tuple(...story.map(event => quietOrNot.map(before => [...before, event]))).map(parts => parts.flat());

/** The node of the holder is cut off, people remove its pod by force, a twin comes up elsewhere. */
const twinComesUp = [
  'link of a cut',
  'pod is deleted',
  'finalizers are stripped',
  'pod is made on b',
  'kubelet b runs',
];
/** The holder restarts, and the operator grants while the API server still shows its former container. */
const restartNotPosted = ['agents are killed', 'kubelet a runs', 'operator works', 'operator works', 'operator works'];
const grantAndStart = [
  'kubelet b posts',
  'operator works',
  'operator works',
  'command arrives',
  'agents handle what they read',
];

/** Rules that need a rare schedule get one told; each is played with the rule and without it. */
const stories: Record<string, string[]> = {
  twin: [...twinComesUp, 'operator works', 'agents read', 'agents handle what they read', ...grantAndStart],
  forgedStatus: [
    ...['link of a cut', 'status on a forged', 'pod is deleted', 'operator works', 'operator works'],
    ...[...twinComesUp, ...grantAndStart],
  ],
  boldTwin: [...twinComesUp, 'agents read', 'agents handle what they read'],
  lateStopped: [
    ...['cluster is stopped', 'operator works', 'operator works', 'command arrives', 'operator works'],
    ...['cluster is started', 'operator works', 'operator works', 'command arrives', 'agents handle what they read'],
    ...[...twinComesUp, 'kubelet b posts', 'operator works', 'operator gathers and old answers come'],
    ...['operator acts on what it gathered', ...grantAndStart],
  ],
  lateAnswer: [
    ...['agents are killed', 'kubelet a runs', 'kubelet a posts', ...Array<string>(4).fill('operator works')],
    ...['command arrives', 'agents handle what they read', ...twinComesUp, 'kubelet b posts', 'operator works'],
    ...['operator gathers and old answers come', 'operator acts on what it gathered', ...grantAndStart],
  ],
  wrongNote: [
    ...[...restartNotPosted, 'command arrives', 'agents handle what they read', 'kubelet a posts', 'pod is deleted'],
    ...['operator works', 'kubelet a posts', 'operator works', ...twinComesUp, ...grantAndStart],
  ],
  lateRead: [
    ...['agents read', 'pod is deleted', 'operator works', 'operator works', 'command arrives', 'operator works'],
    ...['finalizers are stripped', 'pod is made on b', 'kubelet b runs', ...grantAndStart],
  ],
};
const schedules = fc.oneof(anything, ...Object.values(stories).map(told));

/** A cluster comes up, then anything. */
function play(world: World, schedule: readonly string[]): World {
  rounds(8, 0)(world);
  for (const name of schedule) {
    events[name]![1](world);
    const writers = world.writers().map(it => formatIncarnation(it.incarnation));
    if (writers.length > 1) throw new Error(`two writers: ${writers.join(' and ')}`);
  }
  return world;
}

/** No more faults, everybody works. */
function settle(world: World): void {
  world.wanted = 'running';
  for (const node of world.nodes) world.powerOn(node);
  rounds(30, 1)(world);
}

describe('schedules of crashes, cuts, late words and people, one instance, E empty', () => {
  it('a cluster comes up', () => expect(play(new World(), []).writers()).to.have.length(1));

  it('never two writers, epochs only grow, no grant without proof', () => {
    fc.assert(
      fc.property(schedules, schedule => void play(new World(), schedule)),
      { numRuns: 1000 },
    );
  });

  it('when the faults stop there is a writer and it is published, or a person is asked and that helps', () => {
    const property = fc.property(schedules, schedule => {
      const world = play(new World(), schedule);
      settle(world);
      if (world.writers().length === 0) {
        expect(world.lastDecision).to.equal('FormerNotProven');
        world.attest();
        settle(world);
      }
      expect(world.writers().map(it => it.incarnation)).to.deep.equal([world.published]);
      expect(world.record?.record.holder).to.deep.equal(world.published);
    });
    fc.assert(property, { numRuns: 300 });
  });

  /** The view with these answers added, from pods that are on their way out. */
  const withMore = (view: GroupView, more: (it: MemberReport) => MemberReport[]): GroupView => {
    const added = view.evidence.reports.flatMap(more).map(it => ({ ...it, leaving: true }));
    return { ...view, evidence: { ...view.evidence, reports: [...view.evidence.reports, ...added] } };
  };
  const epochOf = (view: GroupView): number => view.recorded?.record.epoch ?? 0;

  const mutants: Record<string, [keyof typeof stories, Mutation]> = {
    'rung 1 by instance instead of incarnation': [
      'twin',
      {
        view: view => {
          const former = view.recorded?.record.former?.incarnation;
          return withMore(view, it => (former && it.stopped ? [{ ...it, incarnation: former }] : []));
        },
      },
    ],
    'right by instance instead of incarnation': ['boldTwin', { byInstance: true }],
    'rung 1 of an older epoch': [
      'lateStopped',
      {
        view: view => {
          const renew = (it: MemberReport): MemberReport =>
            it.stopped ? { ...it, stopped: { ...it.stopped, epoch: epochOf(view) } } : it;
          return { ...view, evidence: { ...view.evidence, reports: view.evidence.reports.map(renew) } };
        },
      },
    ],
    'rung 2 without a renewed Lease of the node': [
      'forgedStatus',
      {
        view: view => ({
          ...view,
          evidence: { ...view.evidence, node: { leaseVersion: '999999999', outOfService: false } },
        }),
      },
    ],
    'rung 2 by the noted container in spite of its own words': [
      'wrongNote',
      {
        view: view => {
          const pod = view.evidence.pod && {
            ...view.evidence.pod,
            terminated: view.evidence.pod.terminated.map(it => ({ ...it, message: undefined })),
          };
          return { ...view, evidence: { ...view.evidence, pod } };
        },
      },
    ],
    'successor that was asked before the revoke': [
      'lateAnswer',
      {
        view: view => {
          const askedAtEpoch = epochOf(view);
          return withMore(view, it => (it.askedAtEpoch < askedAtEpoch ? [{ ...it, askedAtEpoch }] : []));
        },
      },
    ],
    'missing pod as proof': [
      'twin',
      {
        view: view => {
          const incarnation = view.recorded?.record.former?.incarnation;
          if (!incarnation || view.evidence.pod) return view;
          return { ...view, evidence: { ...view.evidence, attestation: { incarnation, who: '', when: '' } } };
        },
      },
    ],
    'late read after a revoke taken for a right': ['lateRead', { forgets: true }],
  };
  for (const [what, [story, mutation]] of Object.entries(mutants)) {
    it(`bites without its rule: ${what}`, () => {
      const property = fc.property(fc.oneof(told(stories[story]!), anything), it => void play(new World(mutation), it));
      const found = fc.check(property, { numRuns: 2000, endOnFailure: true });
      expect(String(found.errorInstance)).to.contain('two writers');
    });
  }
});
