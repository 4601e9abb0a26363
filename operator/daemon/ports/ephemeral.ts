import { parsePortRange, type PortRange } from '../../model/ports.ts';

/**
 * The parts of `ranges` that the kernel gives to outgoing connections.
 * @param local text of `net.ipv4.ip_local_port_range`, two numbers (it holds for IPv6, too)
 * @param reserved text of `net.ipv4.ip_local_reserved_ports`: what is never given, `8080,30000-39999`
 */
export function ephemeralPart(ranges: readonly PortRange[], local: string, reserved: string): PortRange[] {
  const [first = 0, last = 0] = local.trim().split(/\s+/).map(Number);
  if (!(first >= 1 && last >= first)) return [];
  const kept = reserved.split(',').flatMap(part => parsePortRange(part) ?? []);
  const given = ranges.flatMap(range => intersection(range, { first, last }));
  return kept.reduce((rest, range) => rest.flatMap(part => without(part, range)), given);
}

function intersection(one: PortRange, other: PortRange): PortRange[] {
  return proper({ first: Math.max(one.first, other.first), last: Math.min(one.last, other.last) });
}

function without({ first, last }: PortRange, taken: PortRange): PortRange[] {
  if (taken.last < first || taken.first > last) return [{ first, last }];
  return [...proper({ first, last: taken.first - 1 }), ...proper({ first: taken.last + 1, last })];
}

const proper = (range: PortRange): PortRange[] => (range.first <= range.last ? [range] : []);
