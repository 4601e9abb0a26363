import { missingOfPod } from './judge.ts';
import type { Kubectl } from './kubectl.ts';
import type { Cluster, Condition, KubeEvent, Pod } from './objects.ts';

/** Where the parts of the installation and the sample stand. */
export interface Place {
  systemNamespace: string;
  namespace: string;
  cluster: string;
}

/** A part of the stack that writes a log. */
export interface Part {
  part: string;
  deployment: string;
}

/** What tells why something does not come up. */
export interface Findings {
  cluster?: Cluster;
  pods: Pod[];
  events: KubeEvent[];
  logs: { part: string; lines: string[] }[];
}

const EVENTS = 10;
const LOG_LINES = 15;

/** Gathers what can be had: a part that cannot be read is left out. */
export async function gather(kubectl: Kubectl, place: Place, parts: readonly Part[]): Promise<Findings> {
  const { systemNamespace, namespace, cluster } = place;
  const or = <T>(work: Promise<T>, otherwise: T): Promise<T> => work.catch(() => otherwise);
  const linesOf = async (deployment: string): Promise<string[]> => {
    const log = kubectl.run('logs', '--namespace', systemNamespace, `deployment/${deployment}`, '--tail=200');
    return (await or(log, '')).trim().split('\n');
  };
  const label = `mpd.polardb.aliyun.com/cluster=${cluster}`;
  const [found, systemPods, pods, systemEvents, events, logs] = await Promise.all([
    or(kubectl.get<Cluster>('mpdcluster', cluster, '--namespace', namespace), undefined),
    or(kubectl.list<Pod>('pods', '--namespace', systemNamespace), []),
    or(kubectl.list<Pod>('pods', '--namespace', namespace, '--selector', label), []),
    or(kubectl.list<KubeEvent>('events', '--namespace', systemNamespace), []),
    or(kubectl.list<KubeEvent>('events', '--namespace', namespace), []),
    Promise.all(parts.map(async ({ part, deployment }) => ({ part, lines: await linesOf(deployment) }))),
  ]);
  const relevant = [...systemEvents, ...events.filter(event => event.involvedObject.name.startsWith(cluster))];
  return { cluster: found, pods: [...systemPods, ...pods], events: relevant, logs };
}

/** The findings as text for a person, the most telling first. */
export function renderFindings({ cluster, pods, events, logs }: Findings): string {
  const { conditions = [], operation } = cluster?.status ?? {};
  const { name, step } = operation ?? {};
  return [
    section('Conditions of the database cluster', conditions.map(conditionLine)),
    section(
      'Operation',
      operation ? [`${name}: step ${step ?? '?'}: ${operation.message ?? operation.reason ?? ''}`] : [],
    ),
    section('Pods', pods.map(podLine)),
    section('Events, newest last', newest(events).map(eventLine)),
    ...logs.map(({ part, lines }) =>
      section(`Log of the ${part}, warnings and errors`, lines.flatMap(logLine).slice(-LOG_LINES)),
    ),
  ].join('');
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `${title}:\n${lines.map(line => `  ${line}\n`).join('')}`;
}

const conditionLine = ({ type, status, reason = '', message = '' }: Condition): string =>
  `${type}=${status} ${reason}: ${message}`;

function podLine(pod: Pod): string {
  const restarts = (pod.status?.containerStatuses ?? []).reduce((sum, it) => sum + it.restartCount, 0);
  const where = pod.spec.nodeName ? ` on ${pod.spec.nodeName}` : '';
  const often = restarts > 0 ? `, ${restarts} restarts` : '';
  return `${pod.metadata.name}${where}: ${missingOfPod(pod) ?? 'ready'}${often}`;
}

const at = ({ lastTimestamp, eventTime }: KubeEvent): string => lastTimestamp ?? eventTime ?? '';

const newest = (events: readonly KubeEvent[]): KubeEvent[] =>
  events.toSorted((a, b) => at(a).localeCompare(at(b))).slice(-EVENTS);

const eventLine = ({ type, reason, message, involvedObject: { kind, name } }: KubeEvent): string =>
  `${type} ${reason} ${kind.toLowerCase()}/${name}: ${message?.trim()}`;

interface LogEntry {
  time?: string;
  level?: string;
  message?: string;
  cluster?: string;
  step?: string;
  error?: { message?: string };
}

/** Only what somebody should look at; a line that is no JSON is a crash. */
function logLine(text: string): string[] {
  const entry = parseEntry(text);
  if (!entry) return text === '' ? [] : [text];
  const { time, level, message, cluster, step, error } = entry;
  if (level !== 'warn' && level !== 'error') return [];
  return [[time, level, cluster, step, message, error?.message].filter(Boolean).join(' ')];
}

/** A crash may begin a line with a brace too. */
function parseEntry(text: string): LogEntry | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text) as LogEntry;
  } catch {
    return undefined;
  }
}
