import { API_GROUP } from '../model/names.ts';
import type { Attestation, Evidence, GroupEvidence, TerminatedContainer } from './evidence.ts';
import { formatIncarnation, isSameIncarnation, parseIncarnation, type Incarnation } from './incarnation.ts';
import type { FenceRecord, FormerHolder, GroupRecord, Rung } from './record.ts';

/**
 * The ladder: is the former holder proven unable to acknowledge a write? Each rung is a classifier that touches
 * nothing.
 */
export type Climb =
  | { proven: true; fence: FenceRecord }
  | {
      proven: false;
      missing: readonly string[];
      /** Moment of the clock of `Expiry.at` at which a rung proves it though nothing happens. */
      at?: number;
    };

export interface Question {
  /** As read directly, with a former holder and no proof yet. */
  record: GroupRecord;
  /** resourceVersion of that reading: nothing older than it was written after the revoke. */
  recordVersion: string;
  now: string;
}

/** Annotation of a cluster for rung 5: `<incarnation> <who>`. */
export const ATTESTATION_ANNOTATION = `${API_GROUP}/engine-is-dead`;

/** @returns undefined when the value is not `<incarnation> <who>`; `when` is when the annotation was first seen */
export function parseAttestation(value: string, when: string): Attestation | undefined {
  const [, text = '', who = ''] = /^(\S+)\s+(\S.*)$/.exec(value.trim()) ?? [];
  const incarnation = parseIncarnation(text);
  return incarnation && { incarnation, who, when };
}

/**
 * First rung that proves the former holder stopped, else what each rung misses and what a person can do.
 * @throws Error when the record has no former holder: there is nobody to prove
 */
export function climb(question: Question, evidence: Evidence): Climb {
  const { former, epoch } = question.record;
  if (!former) throw new Error('the record names no former holder');
  const missing: string[] = [];
  for (const { rung, classify } of rungs) {
    const finding = classify({ ...question, former, epoch }, evidence);
    if (finding.proven) {
      const { text, at } = finding;
      return { proven: true, fence: { incarnation: former.incarnation, epoch, rung, evidence: text, at } };
    }
    if (finding.missing !== undefined) missing.push(finding.missing);
  }
  const at = evidence.expiry?.over === false ? evidence.expiry.at : undefined;
  return { proven: false, missing, ...(at !== undefined && { at }) };
}

interface Asked extends Question {
  former: FormerHolder;
  epoch: number;
}
/** Nothing `missing`: this rung is not to be had in this cluster. */
type Finding = { proven: true; text: string; at: string } | { proven: false; missing?: string };
type Classifier = (asked: Asked, evidence: Evidence) => Finding;

const proven = (text: string, at: string): Finding => ({ proven: true, text, at });
const not = (missing: string): Finding => ({ proven: false, missing });

/** Rung 1: the agent of that very incarnation says stopped, for this very epoch. */
const agentSaysStopped: Classifier = ({ former, epoch }, { reports }) => {
  const report = reports.find(it => isSameIncarnation(it.incarnation, former.incarnation));
  if (!report) return not('its agent does not answer');
  if (!report.stopped) return not('its agent has not reported the engine stopped yet');
  if (report.stopped.epoch !== epoch) {
    return not(`its agent's report is of epoch ${report.stopped.epoch}, needed is ${epoch}`);
  }
  return proven(`its agent reported the engine stopped for epoch ${epoch}`, report.stopped.at);
};

/**
 * Rung 2: the kubelet ended its container. Three forms, none of which a missing pod, NotReady or Terminating meets:
 * - its container left the incarnation as its last words. The kubelet reads them only from a container that has
 *   ended, and an ended container never runs again, so it does not matter when this was reported;
 * - another agent of the same pod answered a question sent after the revoke. The engine container of a pod runs once
 *   at a time and the former holder ran before the revoke, so it has ended (the pod's status forgets all ended
 *   containers but the last, this does not);
 * - the container id noted at the grant is reported ended, and the node's Lease was written after the revoke: a
 *   living kubelet stands behind the status, not somebody who wrote it for a lost node.
 */
const kubeletSaysTerminated: Classifier = (asked, evidence) => {
  const { former, now } = asked;
  const successor = evidence.reports.find(it => succeeds(it, asked));
  if (successor) return proven(`the same pod runs ${formatIncarnation(successor.incarnation)} now`, now);
  if (evidence.pod?.uid !== former.incarnation.podUid) return not('its pod is gone, which proves nothing');
  const own = evidence.pod.terminated.find(it => isWordOf(it, former.incarnation));
  if (own) return proven(`kubelet: ${own.containerId}, by its own words this incarnation, ended`, own.finishedAt);
  const noted = evidence.pod.terminated.find(it => isNoted(it, former));
  if (!noted) return not(`kubelet of node ${former.grant.node} does not report its container ended`);
  if (!isNewer(evidence.node?.leaseVersion, asked.recordVersion)) {
    return not(`kubelet of node ${former.grant.node} has not renewed its Lease since the revoke`);
  }
  return proven(`kubelet of node ${former.grant.node}: ${noted.containerId} ended`, noted.finishedAt);
};

/**
 * Proof that an incarnation has ended, without a revoke to date it by: its own last words, a person, or `successor`, which
 * found what it had left on their volume and runs in the same pod.
 */
export function whyEnded(
  it: Incarnation,
  { pods, attestation, successor }: Pick<GroupEvidence, 'pods' | 'attestation'> & { successor: Incarnation },
): string | undefined {
  const name = formatIncarnation(it);
  if (successor.podUid === it.podUid) return `the same pod runs ${formatIncarnation(successor)} now`;
  const words = pods.find(pod => pod.uid === it.podUid)?.terminated.some(container => isWordOf(container, it));
  if (words) return `kubelet: ${name} ended, by its own words`;
  if (!attestation || !isSameIncarnation(attestation.incarnation, it)) return undefined;
  return `${attestation.who} attested at ${attestation.when} that ${name} is dead`;
}

/** Rung 3: the storage obeys nobody of an older epoch any more. */
const storageMoved: Classifier = ({ epoch }, { storageFence }) => {
  if (!storageFence) return { proven: false };
  if (storageFence.epoch !== epoch) return not(`the storage fence is of epoch ${storageFence.epoch}`);
  return proven(storageFence.text, storageFence.at);
};

/** Rung 4: whatever right it had has run out (fence.ts says when that counts). */
const rightExpired: Classifier = ({ now }, { expiry }) => {
  if (!expiry) return { proven: false };
  return expiry.over ? proven(expiry.text, now) : not(expiry.missing);
};

/**
 * Rung 5: a person, or the out-of-service taint, attests that the host is off. A kubelet that lives contradicts the taint,
 * which may have been left behind, or set on the wrong node; Kubernetes acts on it only where the node is silent, too.
 */
const personAttests: Classifier = ({ former, recordVersion, now }, { attestation, node }) => {
  if (attestation && isSameIncarnation(attestation.incarnation, former.incarnation)) {
    return proven(`${attestation.who} attested at ${attestation.when} that it is dead`, now);
  }
  if (!node?.outOfService) return not(attestationAdvice(former));
  if (node.isSilent !== true) {
    return not(`node ${former.grant.node} is tainted out-of-service, but its Ready condition is not Unknown yet`);
  }
  if (isNewer(node.leaseVersion, recordVersion)) {
    return not(`node ${former.grant.node} is tainted out-of-service, but its kubelet renews its Lease`);
  }
  return proven(`node ${former.grant.node} is tainted out-of-service`, now);
};

/** How a person proves a former holder dead, where nothing else does, or expiry alone is not enough. */
export const attestationAdvice = ({
  incarnation,
  grant: { node },
}: Pick<FormerHolder, 'incarnation' | 'grant'>): string =>
  `when the host is off for certain, taint node ${node} with node.kubernetes.io/out-of-service ` +
  `or annotate the cluster ${ATTESTATION_ANNOTATION}="${formatIncarnation(incarnation)} <your name>"`;

/** Expiry last: on any other proof whoever is alive may be granted, on it alone only members of E. */
const rungs: readonly { rung: Rung; classify: Classifier }[] = [
  { rung: 1, classify: agentSaysStopped },
  { rung: 2, classify: kubeletSaysTerminated },
  { rung: 3, classify: storageMoved },
  { rung: 5, classify: personAttests },
  { rung: 4, classify: rightExpired },
];

function succeeds(report: Evidence['reports'][number], { former, epoch }: Asked): boolean {
  const { incarnation, askedAtEpoch } = report;
  const isOther = !isSameIncarnation(incarnation, former.incarnation);
  return isOther && incarnation.podUid === former.incarnation.podUid && askedAtEpoch === epoch;
}

/** What an ended container says of itself; undefined when it left no words of our form. */
const wordOf = (it: TerminatedContainer): Incarnation | undefined =>
  parseIncarnation(it.message?.split('\n', 1)[0]?.trim() ?? '');

function isWordOf(container: TerminatedContainer, incarnation: Incarnation): boolean {
  const word = wordOf(container);
  return word !== undefined && isSameIncarnation(word, incarnation);
}

/** Its own words overrule the note: the note was joined from two sources that a restart may have come between. */
const isNoted = (it: TerminatedContainer, { grant }: FormerHolder): boolean =>
  wordOf(it) === undefined && it.containerId === grant.containerId && it.startedAt === grant.startedAt;

/**
 * Was this Lease written after that reading of the record? Both are Leases, so their resourceVersions have one order;
 * clocks of hosts have none.
 */
function isNewer(leaseVersion: string | undefined, recordVersion: string): boolean {
  const isNumber = /^\d+$/;
  if (!leaseVersion || !isNumber.test(leaseVersion) || !isNumber.test(recordVersion)) return false;
  return BigInt(leaseVersion) > BigInt(recordVersion);
}
