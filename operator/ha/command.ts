/** What every command to an agent carries, and what the agent keeps of the highest one it took (protocol, Record). */
export interface CommandStamp {
  clusterUid: string;
  epoch: number;
  term: number;
  generation: number;
}

export type Acceptance =
  { accepted: true; highest: CommandStamp } | { accepted: false; reason: 'ForeignCluster' | 'StaleCommand' };

/**
 * Order of two commands of one cluster: epoch, then term of the one who commands, then generation of (E, k).
 * @returns negative when `a` is older, 0 when equal, positive when newer
 */
export function compareCommand(a: CommandStamp, b: CommandStamp): number {
  return a.epoch - b.epoch || a.term - b.term || a.generation - b.generation;
}

/**
 * May this command be obeyed? The caller makes `highest` durable before it acts.
 * @param highest what this agent persisted; undefined on a volume that has seen no command yet
 */
export function acceptCommand(highest: CommandStamp | undefined, command: CommandStamp): Acceptance {
  const { clusterUid, epoch, term, generation } = command;
  if (highest && highest.clusterUid !== clusterUid) return { accepted: false, reason: 'ForeignCluster' };
  if (highest && compareCommand(command, highest) < 0) return { accepted: false, reason: 'StaleCommand' };
  return { accepted: true, highest: { clusterUid, epoch, term, generation } };
}
