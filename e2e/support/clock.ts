import { join } from 'node:path';
import type { Pod } from '../../operator/kube/resources.ts';
import { installTools } from '../../scripts/kubernetes/machine-check.ts';
import { silent } from '../../scripts/kubernetes/progress.ts';
import type { Scenario } from './scenario.ts';

const LIBRARY = '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1';
/** Where a pod keeps the programs of its agent, on its node and for itself. */
const onNode = ({ metadata }: Pod): string =>
  `/var/lib/kubelet/pods/${metadata.uid ?? ''}/volumes/kubernetes.io~empty-dir/stack/runtime/lib`;
const IN_POD = '/polardb-stack/runtime/lib';
const LOADER = 'ld-linux-x86-64.so.2';

/**
 * From the next start of its container on, the agent of a pod tells a wrong time; its engine, a program of its own, the
 * right one. What counts time since the host booted is right, as on a host whose clock is wrong.
 * @param offset as faketime(1) reads it: `+1h`
 */
export async function wrongClock({ local }: Pick<Scenario, 'local'>, pod: Pod, offset: string): Promise<void> {
  await installTools([{ file: LIBRARY, package: 'libfaketime' }], silent);
  const node = pod.spec?.nodeName ?? '';
  const [loader, right] = [join(onNode(pod), LOADER), join(onNode(pod), 'right-loader')];
  const start = [
    '#!/polardb-stack/bin/busybox sh',
    `export FAKETIME=${offset} FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_DISABLE_SHM=1`,
    `exec ${IN_POD}/right-loader --preload ${IN_POD}/libfaketime.so "$@"`,
  ];
  await local.exec(node, ['cp', LIBRARY, join(onNode(pod), 'libfaketime.so')]);
  await local.exec(node, ['mv', loader, right]);
  await local.exec(node, ['sh', '-c', `printf '%s\\n' "$@" >"$0"; chmod 755 "$0"`, loader, ...start]);
}

/** How far an agent's clock is before that of this machine, ms: by the line that its log begins with. */
export async function clockOffset({ kubectl }: Pick<Scenario, 'kubectl'>, { metadata }: Pod): Promise<number> {
  const where = ['--namespace', metadata.namespace ?? '', metadata.name, '--container', 'engine'];
  const log = await kubectl.run('logs', ...where, '--timestamps');
  const [line] = log
    .split('\n')
    .filter(it => it.includes('"message":"agent starts"'))
    .slice(-1);
  const [, seen = '', told = ''] = /^(\S+) \{"timestamp":"([^"]+)"/.exec(line ?? '') ?? [];
  return Date.parse(told) - Date.parse(seen);
}
