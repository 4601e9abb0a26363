import { parseArgs } from 'node:util';
import { checkName } from '../kubernetes/paths.ts';

export const USAGE = `Usage: npm run quickstart [-- OPTIONS]

Brings a database cluster up: PolarDB Stack on a Kubernetes of its own on this machine, and a sample cluster
with one read-write and two read-only instances. A second run changes nothing that is as it should be.

  --name NAME       name of the Kubernetes on this machine; several can run side by side (default: quickstart)
  --context NAME    use the existing cluster of this kubeconfig context instead; nothing else is touched
  --registry PLACE  with --context: where its nodes get images from, host[:port][/path]; clusters made by kind need none
  --down            remove every trace of it again
  --help            print this
`;

/** What a person asked for. */
export interface Options {
  down: boolean;
  help: boolean;
  /** Name of the cluster of our own. */
  name: string;
  /** Context of an existing cluster; absent: a cluster of our own on this machine. */
  context?: string;
  registry?: string;
}

/** @throws Error that says what is wrong with the arguments */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      down: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
      name: { type: 'string' },
      context: { type: 'string' },
      registry: { type: 'string' },
    },
  });
  const { name, context, registry } = values;
  if (context === '') throw new Error('--context needs the name of a context of your kubeconfig');
  if (name !== undefined && context !== undefined) {
    throw new Error('--name is for a Kubernetes on this machine, --context for one that exists: give one of them');
  }
  if (registry !== undefined && context === undefined) {
    throw new Error('--registry is for --context: the cluster on this machine gets its images without a registry');
  }
  if (registry !== undefined && !/^[a-z0-9][a-z0-9.-]*(:\d+)?(\/[a-z0-9._-]+)*$/.test(registry)) {
    throw new Error(
      `--registry "${registry}": write host[:port][/path], without https:// and without a slash at the end`,
    );
  }
  return { ...values, name: checkName(name ?? 'quickstart') };
}
