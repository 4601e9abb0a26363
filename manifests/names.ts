import { MANAGED_BY } from '../operator/model/labels.ts';

/** Name of a part in the cluster: Deployment, service account, roles. */
export const partName = (part: string): string => `polardb-stack-${part}`;

/** Labels of our own parts. */
export const partLabels = (part: string): Record<string, string> => ({
  'app.kubernetes.io/name': MANAGED_BY,
  'app.kubernetes.io/component': part,
});

/** Labels of what an installation applies. */
export const INSTALLED: Record<string, string> = {
  'app.kubernetes.io/name': MANAGED_BY,
  'app.kubernetes.io/part-of': MANAGED_BY,
};

/** Secret of the system namespace with the account for host commands (`ssh-privatekey`, `known_hosts`); a site makes it. */
export const DAEMON_SSH_SECRET = partName('daemon-ssh');

/** The daemon shares the host's ports: these are out of the way of what else hosts serve. `api` is the original's. */
export const DAEMON_PORTS = { health: 8901, metrics: 8902, api: 8900 } as const;

/** Where each part serves /healthz and /readyz, and /metrics; `api`: HTTPS of the parts that have one. */
export const PART_PORTS = { health: 8081, metrics: 8080, api: 8443 } as const;
