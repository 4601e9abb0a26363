/** Flags of the original that mean nothing any more, and what took their place. They are accepted: old manifests go on. */
const FORMER: Readonly<Record<string, string>> = {
  'node-status-update-frequency': 'the daemon writes conditions on change, and a heartbeat every 30 s',
  'develop-mode': 'it had no effect in the original either',
  'events-enable-upload': 'Events are those of Kubernetes',
  'events-upload-url': 'Events are those of Kubernetes',
  'events-upload-timeout': 'Events are those of Kubernetes',
  'job-enable-del-fip': 'it had no effect in the original either',
  'job-enable-add-fip': 'it had no effect in the original either',
  'service-owner-db-cluster': 'it had no effect in the original either',
};

/** Those of its log library, each with hyphens or underscores. */
const FORMER_LOG = [
  'v',
  'vmodule',
  'logtostderr',
  'alsologtostderr',
  'stderrthreshold',
  'log-dir',
  'log-file',
  'log-file-max-size',
  'log-flush-frequency',
  'log-backtrace-at',
  'skip-headers',
  'skip-log-headers',
  'add-dir-header',
].flatMap(name => [...new Set([name, name.replaceAll('-', '_')])]);

const LOGS = 'logs go to stdout, one JSON object per line; --log-level says how much';

/** By name, without hyphens in front: why the flag means nothing. */
export const FORMER_FLAGS: ReadonlyMap<string, string> = new Map([
  ...Object.entries(FORMER),
  ...FORMER_LOG.map(name => [name, LOGS] as const),
]);

/** What is given of them, with the reason for each. @param args arguments of the program */
export function formerFlagsIn(args: readonly string[]): { flag: string; why: string }[] {
  return args.flatMap(argument => {
    const name = /^--([^=]+)/.exec(argument)?.[1] ?? '';
    const why = FORMER_FLAGS.get(name);
    return why === undefined ? [] : [{ flag: `--${name}`, why }];
  });
}
