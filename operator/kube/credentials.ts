import { readFile } from 'node:fs/promises';
import type { KubeConfig } from '@kubernetes/client-node';
import type { RequestOptions } from 'node:https';
import type { ConnectionOptions } from 'node:tls';
import { formatAddress } from '../model/address.ts';

/** What is needed to talk to one API server at this moment. */
export interface Credentials {
  /** `https://host:port`, without a slash at the end. */
  server: string;
  headers: Record<string, string>;
  tls: Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'servername' | 'rejectUnauthorized'>;
}

/** Reads the credentials afresh: files may have been rotated since. */
export type CredentialSource = () => Promise<Credentials>;

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Credentials of the pod's service account. Needs neither a kubeconfig nor its libraries: agents use this one. */
export function inClusterCredentials(env: NodeJS.ProcessEnv = process.env, root = SERVICE_ACCOUNT): CredentialSource {
  const host = env.KUBERNETES_SERVICE_HOST ?? '';
  const port = env.KUBERNETES_SERVICE_PORT ?? '443';
  if (host === '') throw new Error('KUBERNETES_SERVICE_HOST is not set: not in a pod');
  const server = `https://${formatAddress(host, Number(port))}`;
  return async () => {
    const [token, ca] = await Promise.all([readFile(`${root}/token`, 'utf8'), readFile(`${root}/ca.crt`, 'utf8')]);
    return { server, headers: { authorization: `Bearer ${token.trim()}` }, tls: { ca } };
  };
}

/**
 * Credentials of a kubeconfig, with all its kinds of authentication (certificates, tokens, exec plugins, OIDC).
 * `load` is called for every refresh, so that rewritten files take effect.
 */
export function kubeConfigCredentials(load: () => KubeConfig | Promise<KubeConfig>): CredentialSource {
  return async () => {
    const config = await load();
    const cluster = config.getCurrentCluster();
    if (!cluster) throw new Error('the kubeconfig has no current cluster');
    // Plain http (a fake server, `kubectl proxy`) is refused by the library only to make one think about it.
    if (cluster.server.startsWith('http:')) return { server: trimSlash(cluster.server), headers: {}, tls: {} };
    const https: RequestOptions = {};
    await config.applyToHTTPSOptions(https);
    const headers = Object.entries(https.headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)]);
    if (https.auth) headers.push(['authorization', `Basic ${Buffer.from(https.auth).toString('base64')}`]);
    const { ca, cert, key, servername, rejectUnauthorized } = https;
    return {
      server: trimSlash(cluster.server),
      headers: Object.fromEntries(headers) as Record<string, string>,
      tls: { ca, cert, key, servername, rejectUnauthorized },
    };
  };
}

/**
 * The credentials a program finds: those of `kubeconfig` (path) and `context` if given, else the usual search
 * ($KUBECONFIG, in the pod, ~/.kube/config). The library is loaded only when a kubeconfig is used: it takes 50 MB.
 */
export function findCredentials(wanted: { kubeconfig?: string; context?: string } = {}): CredentialSource {
  const explicit = wanted.kubeconfig !== undefined || wanted.context !== undefined || process.env.KUBECONFIG;
  if (!explicit && process.env.KUBERNETES_SERVICE_HOST) return inClusterCredentials();
  return kubeConfigCredentials(async () => {
    const { KubeConfig } = await import('@kubernetes/client-node');
    const config = new KubeConfig();
    if (wanted.kubeconfig === undefined) config.loadFromDefault();
    else config.loadFromFile(wanted.kubeconfig);
    if (wanted.context !== undefined) config.setCurrentContext(wanted.context);
    return config;
  });
}

function trimSlash(url: string): string {
  return url.replace(/\/+$/, '');
}

/** Two credentials that need no new connections: same server, same TLS material. */
export function isSameConnection(a: Credentials, b: Credentials): boolean {
  return a.server === b.server && JSON.stringify(a.tls) === JSON.stringify(b.tls);
}

/** Would a second try with `b` differ from one with `a`? */
export function isSameCredentials(a: Credentials, b: Credentials): boolean {
  return isSameConnection(a, b) && JSON.stringify(a.headers) === JSON.stringify(b.headers);
}
