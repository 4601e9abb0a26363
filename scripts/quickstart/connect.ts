import { shellWord } from './kubectl.ts';

/** What a person needs to reach the sample cluster. */
export interface Access {
  /** How this person writes kubectl for that cluster. */
  kubectl: string;
  namespace: string;
  cluster: string;
  user: string;
  database: string;
  /** Addresses that this machine reaches; absent when the Services of the cluster cannot be reached from here. */
  services?: { rw: string; ro: string; port: number };
  /** Pod of the RW. */
  rwPod: string;
}

/** Shell lines that reach the database. */
export interface Lines {
  /** From this machine: by the read-write Service, or by a forwarded port. */
  rw: string;
  /** From this machine, by the read-only Service. */
  ro?: string;
  /** Without psql here: the one in the RW's pod, as superuser over the socket. */
  exec: string;
}

/** Where the engine's socket lies in its container. */
const SOCKETS = '/run/polardb-stack/engine';

/** Port of this machine that is forwarded to the RW where Services cannot be reached. */
const FORWARDED = 15_432;

export function connectionLines(access: Access, options: { interactive: boolean }): Lines {
  const { kubectl, namespace, cluster, user, database, services, rwPod } = access;
  const inNamespace = namespace === 'default' ? kubectl : `${kubectl} --namespace ${namespace}`;
  const password = `$(${inNamespace} get secret ${cluster}-app -o jsonpath='{.data.password}' | base64 -d)`;
  const psql = (host: string, port: number): string =>
    `PGPASSWORD="${password}" psql ${shellWord(`host=${host} port=${port} user=${user} dbname=${database} sslmode=require`)}`;
  const terminal = options.interactive ? ' -it' : '';
  return {
    rw: services ? psql(services.rw, services.port) : psql('127.0.0.1', FORWARDED),
    ...(services && { ro: psql(services.ro, services.port) }),
    exec: `${inNamespace} exec${terminal} ${rwPod} -c engine -- psql -h ${SOCKETS} -U postgres ${shellWord(database)}`,
  };
}

/** What is printed at the end. */
export function closingText(access: Access, facts: { followers: number; down: string; hasPsql: boolean }): string {
  const { kubectl, namespace, cluster, services, rwPod } = access;
  const { rw, ro, exec } = connectionLines(access, { interactive: true });
  const hint = facts.hasPsql ? '' : ' (psql comes with the package postgresql-client)';
  const at = `--namespace ${namespace}`;
  return [
    `Cluster ${namespace}/${cluster} is Ready: one read-write and ${facts.followers} read-only instances.`,
    '',
    ...(services
      ? [`Connect from here${hint}:`, `  ${rw}`, 'Read-only:', `  ${ro}`]
      : [
          `Connect from here${hint}, while the first line runs:`,
          `  ${kubectl} ${at} port-forward pod/${rwPod} ${FORWARDED}:5432`,
          `  ${rw}`,
        ]),
    'With the psql in the pod of the read-write instance, as superuser:',
    `  ${exec}`,
    '',
    'Look at it:',
    `  ${kubectl} ${at} get mpdcluster,mpdoperation,pods -o wide`,
    `  ${kubectl} ${at} describe mpdcluster ${cluster}`,
    `  ${kubectl} --namespace polardb-system logs deployment/polardb-stack-operator`,
    `  ${kubectl} --namespace polardb-system logs deployment/polardb-stack-cluster-manager`,
    'When something is not Ready: docs/troubleshooting.md. A cluster of your own: README.md.',
    '',
    `Remove it all: ${facts.down}`,
    '',
  ].join('\n');
}
