import { expect } from 'chai';
import type { Cache } from '../kube/informer.ts';
import type { Node } from '../kube/resources.ts';
import { FakeClock } from '../kube/testing/fake-clock.ts';
import type { HostConditionUpdate, NodeCondition } from './conditions.ts';
import { NodePublisher } from './publisher.ts';

const nodeOf = (version: number, conditions: NodeCondition[] = []): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'host-1', resourceVersion: String(version) },
  status: { conditions },
});
const up: HostConditionUpdate = { type: 'NodeClientIP', status: 'True', reason: 'bond1', message: '10.0.0.5' };
const down: HostConditionUpdate = { ...up, status: 'False' };

describe('NodePublisher', () => {
  let clock: FakeClock;
  let cached: Node | undefined;
  let said: HostConditionUpdate[] | undefined;
  let written: NodeCondition[][];
  let publisher: NodePublisher;
  beforeEach(() => {
    clock = new FakeClock();
    cached = nodeOf(1);
    said = [up];
    written = [];
    const applyStatus = (_type: unknown, object: unknown) => {
      const { conditions } = (object as { status: { conditions: NodeCondition[] } }).status;
      written.push(conditions);
      return Promise.resolve(nodeOf(100 + written.length, conditions) as never);
    };
    const nodes = { get: () => cached } as unknown as Cache<Node>;
    const wanted = () => said;
    publisher = new NodePublisher({ client: { applyStatus }, nodes, host: 'host-1', clock, random: () => 0.5, wanted });
  });
  const run = () => publisher.run(new AbortController().signal);
  const cacheCatchesUp = () => (cached = nodeOf(100 + written.length, written.at(-1)));

  it('writes what changed, once, also while the cache lacks the write', async () => {
    expect(await run()).to.deep.equal({ requeueAfterMs: 30_000 });
    expect(await run()).to.deep.equal({ requeueAfterMs: 30_000 });
    cacheCatchesUp();
    await run();
    expect(written).to.have.length(1);
    said = [down];
    await run();
    expect(written).to.have.length(2);
  });

  it('writes twice a minute when nothing changes, with the time of the transition kept', async () => {
    for (let n = 0; n < 600; n++) {
      await run();
      cacheCatchesUp();
      await clock.advance(1_000);
    }
    expect(written).to.have.length(20);
    const times = (field: 'lastTransitionTime' | 'lastHeartbeatTime') =>
      new Set(written.map(conditions => conditions[0]![field]));
    expect(times('lastTransitionTime').size).to.equal(1);
    expect(times('lastHeartbeatTime').size).to.equal(20);
  });

  it('keeps what a former process said until something is known', async () => {
    said = undefined;
    await run();
    expect(written).to.have.length(0);
  });

  it('leaves a node alone that is not there: its kubelet makes it', async () => {
    cached = undefined;
    expect(await run()).to.equal(undefined);
    expect(written).to.have.length(0);
  });

  it('mends what somebody else wrote or took away', async () => {
    await run();
    cached = nodeOf(200, []);
    await run();
    expect(written).to.have.length(2);
  });
});
