/** Ports of an instance on the pod network. On the host network all three are allocated and stand in status. */
export const POD_NETWORK_PORTS = { engine: 5432, agent: 8443, health: 8081 } as const;

export interface InstancePorts {
  /** SQL. */
  engine: number;
  /** HTTPS API of the agent. */
  agent: number;
  /** Plain HTTP for the kubelet's probes: no secrets, no commands. */
  health: number;
}

/** Port of `<c>-rw` and `<c>-ro`, and of the EndpointSlice that leads to the RW: a slice's port fits by its name. */
export const ENGINE_PORT_NAME = 'postgresql';

/** The engine's own port, so that a client that is told host and port needs no second number. */
export const servicePort = (instances: readonly { ports: InstancePorts }[]): number =>
  instances[0]?.ports.engine ?? POD_NETWORK_PORTS.engine;

export interface PortRange {
  first: number;
  last: number;
}

/**
 * A range of the original's annotations: `a-b`, `a+n` (a and the n that follow), one port, or empty (no range).
 * @throws Error naming the text when it is none of these or leaves 1-65535
 */
export function parsePortRange(text: string): PortRange | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  const match = /^(\d{1,5})(?:([-+])(\d{1,5}))?$/.exec(trimmed);
  if (!match) throw new Error(`port range "${text}" is not of the form a-b, a+n or a`);
  const first = Number(match[1]);
  const second = Number(match[3] ?? 0);
  const last = match[2] === '-' ? second : first + second;
  if (first < 1 || last > 65535 || last < first) throw new Error(`port range "${text}" is not within 1-65535`);
  return { first, last };
}

export const portInRange = (port: number, range: PortRange): boolean => port >= range.first && port <= range.last;
