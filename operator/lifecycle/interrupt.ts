import { OPERATION_ANNOTATION } from '../../crds/annotations.ts';
import type { ClusterContext } from './context.ts';
import { MPD_CLUSTERS } from '../kinds/mpd.ts';
import type { Verdict } from './status.ts';

const { interruptRecover, interruptReason, interruptMessage, interruptPreviousStatus } = OPERATION_ANNOTATION;
const OURS = [interruptRecover, interruptReason, interruptMessage, interruptPreviousStatus];

/** The original's way to tell of an interruption and to be told to go on: `interrupt.recover: T`. No call when it stands. */
export async function announceInterrupt(context: ClusterContext, { waiting }: Verdict): Promise<void> {
  const { annotations = {} } = context.cluster.metadata;
  const previous = context.cluster.status.clusterStatus;
  const wanted: Record<string, string> = {
    [interruptRecover]: 'F',
    [interruptReason]: waiting?.reason ?? '',
    [interruptMessage]: waiting?.message ?? '',
  };
  if (Object.entries(wanted).every(([name, value]) => annotations[name] === value)) return;
  if (previous && previous !== 'Interrupt') wanted[interruptPreviousStatus] = previous;
  await annotate(context, wanted);
}

/** After a person has resumed or cancelled the operation. */
export function withdrawInterrupt(context: ClusterContext): Promise<void> {
  return annotate(context, Object.fromEntries(OURS.map(name => [name, null])));
}

async function annotate(context: ClusterContext, annotations: Record<string, string | null>): Promise<void> {
  context.object = await context.tools.client.patchMerge(MPD_CLUSTERS, context.object.metadata, {
    metadata: { annotations },
  });
}
