import { AgentError } from '../../agent-api/errors.ts';
import type { ApiUpstream } from '../../agent-api/schemas.ts';
import { mayInitialize } from '../../ha/boot.ts';
import type { AgentParts } from './simulated-data.ts';
import { idle, type Work } from './simulated-tasks.ts';

/** initdb: the volume is claimed first, so that an interrupted one is known as such. */
export function initialize({ config, data, around }: AgentParts, epoch: number, finished: () => void): Work {
  const { uid } = config.cluster;
  const claim = async (): Promise<'over' | undefined> => {
    if (isDone(data.state(uid).state)) return 'over';
    const record = await around.readRecord(config.record);
    if (!record || !mayInitialize(record, data.state(uid))) {
      throw new AgentError('NoRight', 'the record does not show a group that nobody was ever granted');
    }
    data.identity = { clusterUid: uid, epoch };
    data.data = 'partial';
    return undefined;
  };
  const finish = (): undefined => {
    around.safety.initialized(uid, data);
    data.data = 'initialized';
    data.systemId = `system of ${data.id}`;
    finished();
  };
  return [claim, idle, finish];
}

/** A base backup: needs the RW, and the slot that keeps its WAL, from the beginning to the end. */
export function join({ config, data, around }: AgentParts, epoch: number, upstream: ApiUpstream): Work {
  const { uid } = config.cluster;
  const source = (): string => {
    const found = around.agentAt(upstream.address)?.feeds(upstream.slot);
    if (found) return found;
    throw new AgentError('EngineFailed', `no RW with slot ${upstream.slot} at ${upstream.address}`);
  };
  const claim = (): 'over' | undefined => {
    if (isDone(data.state(uid).state)) return 'over';
    source();
    data.identity = { clusterUid: uid, epoch };
    data.data = 'partial';
    return undefined;
  };
  const copy = (): undefined => void source();
  const finish = (): undefined => {
    data.systemId = source();
    data.data = 'initialized';
  };
  return [claim, copy, finish];
}

function isDone(state: 'blank' | 'partial' | 'initialized' | 'foreign'): boolean {
  if (state === 'foreign') throw new AgentError('VolumeForeign', 'data of another cluster');
  return state === 'initialized';
}
