import { UserError } from '../operator/model/errors.ts';
import type { MPDOperationSpecInput } from './mpdoperation/spec.ts';

/** Annotations about the operation that is going on. */
export const OPERATION_ANNOTATION = {
  /** `true`: stop the running operation at the next safe point. */
  cancelled: 'cancelled',
  /** Written as `F` with an interruption; anything else resumes. */
  interruptRecover: 'interrupt.recover',
  interruptReason: 'interrupt.reason',
  interruptMessage: 'interrupt.message',
  interruptPreviousStatus: 'interrupt.previous.status',
} as const;

type Annotations = Readonly<Record<string, string>>;
type RequestedOperation = Omit<MPDOperationSpecInput, 'target' | 'requestedBy' | 'cancelled'>;

export interface AnnotationRequest {
  /** Name of the annotation, to be taken away once the operation exists. */
  annotation: string;
  /** The rest of the MPDOperation's spec. */
  operation: RequestedOperation;
}

export interface AnnotationRequests {
  /** In the order in which the original looked at them. */
  requests: AnnotationRequest[];
  /** What cannot be read; `field` is `metadata.annotations.<name>`. */
  refused: UserError[];
}

interface RequestAnnotation {
  name: string;
  /** Form of its value, for people. */
  value: string;
  meaning: string;
  /** @throws Error saying what is wrong with the value */
  read: (value: string) => RequestedOperation | undefined;
}

const TRUE = '`1`, `T` or `true`';
const INSTANCE = '`<instance id>`';

/** Annotations by which users of the original ask for something, in the order in which it looked at them. */
export const REQUEST_ANNOTATIONS: readonly RequestAnnotation[] = [
  { name: 'forceRebuild', value: TRUE, meaning: 'Rebuild the whole cluster.', read: whenTrue({ type: 'rebuild' }) },
  {
    name: 'restartCluster',
    value: TRUE,
    meaning: 'Restart all instances.',
    read: whenTrue({ type: 'restartCluster' }),
  },
  {
    name: 'restartIns',
    value: INSTANCE,
    meaning: 'Restart one instance.',
    read: value => ({ type: 'restartInstance', restartInstance: { instance: instanceOf(value) } }),
  },
  {
    name: 'flushParams',
    value: TRUE,
    meaning: 'Bring the parameters of ConfigMap `<cluster>-user-params` into effect.',
    read: whenTrue({ type: 'flushParams' }),
  },
  {
    name: 'switchRw',
    value: '`<instance id>` of a read-only instance',
    meaning: 'Make it the RW.',
    read: value => ({ type: 'switchRw', switchRw: { instance: instanceOf(value) } }),
  },
  {
    name: 'migrate',
    value: '`<instance id>|<node>`',
    meaning: 'Move the instance to the node.',
    read: value => ({ type: 'migrate', migrate: moveOf(value) }),
  },
  {
    name: 'removeIns',
    value: '`<instance id>` of a read-only instance',
    meaning: 'Take it out; it is not replaced.',
    read: value => ({ type: 'removeRo', removeRo: { instance: instanceOf(value) } }),
  },
  {
    name: 'extendStorage',
    value: TRUE,
    meaning: 'Let the engine use a shared volume that has grown.',
    read: whenTrue({ type: 'extendStorage' }),
  },
];

/** Reads all requests among the annotations of a cluster. They are taken away once they are taken in; others, such as those of consoles, are left alone. */
export function readRequests(annotations: Annotations = {}): AnnotationRequests {
  const found: AnnotationRequests = { requests: [], refused: [] };
  for (const { name: annotation, read } of REQUEST_ANNOTATIONS) {
    const value = annotations[annotation];
    if (value === undefined) continue;
    try {
      const operation = read(value.trim());
      if (operation) found.requests.push({ annotation, operation });
    } catch (error) {
      found.refused.push(new UserError(`metadata.annotations.${annotation}`, (error as Error).message));
    }
  }
  return found;
}

/** `cancelled`: the original took `true` alone; the other true-ish forms mean the same. */
export const isCancelRequested = (annotations: Annotations = {}): boolean =>
  isTrue(annotations[OPERATION_ANNOTATION.cancelled] ?? '');

/** `interrupt.recover`: anything but the `F` that the operator wrote. */
export function isResumeRequested(annotations: Annotations = {}): boolean {
  const value = annotations[OPERATION_ANNOTATION.interruptRecover];
  return value !== undefined && value !== 'F';
}

const isTrue = (value: string): boolean => ['1', 'T', 'true'].includes(value);
const isFalse = (value: string): boolean => ['', '0', 'F', 'false'].includes(value);

function whenTrue(operation: RequestedOperation): RequestAnnotation['read'] {
  return value => {
    if (isTrue(value)) return operation;
    if (isFalse(value)) return undefined;
    throw new Error(`"${value}" is none of 1, T, true`);
  };
}

function instanceOf(value: string): string {
  if (/^[0-9a-z]([-0-9a-z]{0,30}[0-9a-z])?$/.test(value)) return value;
  throw new Error(`"${value}" is not an instance id, as they stand in status.dbInstanceStatus`);
}

function moveOf(value: string): { instance: string; node: string } {
  const [instance = '', node = '', ...rest] = value.split('|').map(part => part.trim());
  if (!/^[0-9a-z]([-.0-9a-z]{0,251}[0-9a-z])?$/.test(node) || rest.length > 0) {
    throw new Error(`"${value}" is not of the form <instance id>|<node name>`);
  }
  return { instance: instanceOf(instance), node };
}
