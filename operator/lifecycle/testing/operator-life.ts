import type { AgentClient } from '../../agent-api/client.ts';
import { describeCall } from '../../kube/call.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Logger } from '../../kube/types.ts';
import { TLS_SECRET_TYPE } from '../../pki/secret.ts';
import type { CrashGate } from '../../workflow/testing/crash-points.ts';
import type { AgentDirectory, Issuer, Tools } from '../context.ts';
import { ClusterReconciler, type Sources } from '../reconciler.ts';

/** Test only: what one life of the operator is made of. */
export interface LifeOptions {
  client: KubeClient;
  agents: AgentDirectory;
  sources: Sources;
  now: () => Date;
  log: Logger;
  systemNamespace: string;
}

/** A reconciler that remembers nothing, each of whose calls to the API and to agents passes the gate first. */
export function beginLife(options: LifeOptions, gate: Pick<CrashGate, 'before'>): ClusterReconciler {
  const { sources, now, log, systemNamespace } = options;
  let passwords = 0;
  const tools: Tools = {
    client: options.client.withHooks({ before: call => gate.before(describeCall(call)) }),
    agents: gated(options.agents, gate),
    issuer,
    log,
    now,
    // Fire and forget: nothing waits for them, so no point lies behind them.
    events: { record: () => undefined },
    flowEvents: () => undefined,
    newPassword: () => `password-${++passwords}-${now().getTime()}`,
    node: () => undefined,
    systemNamespace,
    settingsNamespace: systemNamespace,
  };
  return new ClusterReconciler({
    tools,
    sources,
    operatorName: 'polar-mpd',
    stackImage: 'stack:1',
    pullPolicy: 'IfNotPresent',
  });
}

function gated(agents: AgentDirectory, gate: Pick<CrashGate, 'before'>): AgentDirectory {
  return {
    of: (instance, address) => {
      const client = agents.of(instance, address);
      const call =
        ([name, make]: [string, AgentClient['state']]) =>
        async (body: never) => {
          await gate.before(`agent ${instance.id} ${name}`);
          return make(body);
        };
      const entries = Object.entries(client) as [string, AgentClient['state']][];
      return Object.fromEntries(entries.map(entry => [entry[0], call(entry)])) as unknown as AgentClient;
    },
  };
}

/** Certificates have tests of their own: here one that is there is good. */
const issuer: Issuer = {
  secretData: ({ current, subject }) => {
    const text = Buffer.from(subject.name).toString('base64');
    const isGood = current?.type === TLS_SECRET_TYPE;
    return Promise.resolve(isGood ? undefined : { 'tls.crt': text, 'tls.key': text, 'ca.crt': text });
  },
};
