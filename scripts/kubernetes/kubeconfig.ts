import { stringify } from 'yaml';
import type { Credentials } from './pki.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** A kubeconfig with everything inside, so that the one file can be carried anywhere. */
export function renderKubeconfig(name: string, server: string, { ca, certificate, key }: Credentials): string {
  return stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name, cluster: { server, 'certificate-authority-data': base64(ca) } }],
      users: [{ name, user: { 'client-certificate-data': base64(certificate), 'client-key-data': base64(key) } }],
      contexts: [{ name, context: { cluster: name, user: name } }],
      'current-context': name,
    },
    { lineWidth: 0 },
  );
}
