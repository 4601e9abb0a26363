import {
  HOST_FACTS_LABEL,
  hostVolumesName,
  logReportName,
  portUsageName,
  versionAvailabilityName,
} from '../operator/model/host.ts';

const NAME = 'polardb-stack-daemon-own-host';
const NODE = "request.userInfo.?extra[?'authentication.kubernetes.io/node-name'].orValue([])";

/** Names of the maps with facts of a host: its name is the end of each. */
const OWN_MAPS = [portUsageName, versionAvailabilityName, hostVolumesName, logReportName]
  .map(nameOf => `'${nameOf('')}' + variables.host`)
  .join(', ');

/**
 * Holds each daemon to its own host: it may write the status of its own node, and ConfigMaps with facts of its own host.
 * RBAC cannot say that, since one account serves all hosts: whoever takes over one host could speak for all of them. The
 * node is in the token of the pod (Kubernetes 1.30 and later); where it is not, nothing is refused.
 * @param account namespace and name of the daemons' service account
 */
export function ownHostOnly(account: { namespace: string; name: string }) {
  const user = `system:serviceaccount:${account.namespace}:${account.name}`;
  const rule = (resources: string[]) => ({
    apiGroups: [''],
    apiVersions: ['v1'],
    operations: ['CREATE', 'UPDATE'],
    resources,
    scope: '*',
  });
  return [
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: NAME },
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: { resourceRules: [rule(['nodes/status']), rule(['configmaps'])] },
        matchConditions: [
          { name: 'a-daemon', expression: `request.userInfo.username == '${user}'` },
          { name: 'host-known', expression: `${NODE}.size() == 1` },
        ],
        variables: [{ name: 'host', expression: `${NODE}[0]` }],
        validations: [
          {
            expression: "request.resource.resource != 'nodes' || object.metadata.name == variables.host",
            messageExpression: "'a daemon may write the conditions of its own node, ' + variables.host + ', alone'",
          },
          {
            expression:
              `request.resource.resource != 'configmaps' || (object.metadata.name in [${OWN_MAPS}]` +
              ` && '${HOST_FACTS_LABEL}' in object.metadata.?labels.orValue({}))`,
            messageExpression:
              "'a daemon may write ConfigMaps with facts of its own host, ' + variables.host + ', alone'",
          },
        ],
      },
    },
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name: NAME },
      spec: { policyName: NAME, validationActions: ['Deny'] },
    },
  ];
}
