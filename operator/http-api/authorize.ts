import type { KubeClient } from '../kube/client.ts';
import { resource } from '../kube/resources.ts';
import type { KubeObject } from '../kube/types.ts';
import { ApiError } from './errors.ts';

/** What a call needs to be allowed to do, as RBAC says it. The resource need not exist: a rule may name it all the same. */
export interface Permission {
  verb: 'get' | 'create' | 'update';
  /** Empty: the core group. */
  group: string;
  resource: string;
  /** Absent: the object itself. */
  subresource?: string;
  /** Absent: a resource of the whole Kubernetes cluster. */
  namespace?: string;
  /** Absent: all of them. */
  name?: string;
}

export interface User {
  username: string;
  uid?: string;
  groups?: string[];
}

interface TokenReview extends KubeObject {
  spec: { token: string };
  status?: { authenticated?: boolean; user?: User; error?: string };
}
interface SubjectAccessReview extends KubeObject {
  spec: { user: string; uid?: string; groups?: string[]; resourceAttributes: Partial<Permission> };
  status?: { allowed?: boolean; reason?: string };
}

const TOKEN_REVIEWS = resource<TokenReview>('authentication.k8s.io/v1', 'TokenReview', 'tokenreviews', false);
const ACCESS_REVIEWS = resource<SubjectAccessReview>(
  'authorization.k8s.io/v1',
  'SubjectAccessReview',
  'subjectaccessreviews',
  false,
);

type Reviewer = Pick<KubeClient, 'create'>;

/**
 * Who calls, by the bearer token, which the API server itself judges.
 * @throws ApiError 401 without a token that it takes
 */
export async function authenticate(client: Reviewer, authorization: string | undefined): Promise<User> {
  const [, token] = /^Bearer (\S+)$/i.exec(authorization ?? '') ?? [];
  if (token === undefined) {
    throw new ApiError(
      401,
      'Unauthorized',
      'send the token of a service account or user as "Authorization: Bearer ..."',
    );
  }
  const { apiVersion, kind } = TOKEN_REVIEWS;
  const review = await client.create(TOKEN_REVIEWS, { apiVersion, kind, metadata: { name: '' }, spec: { token } });
  const { authenticated, user } = review.status ?? {};
  if (authenticated !== true || !user)
    throw new ApiError(401, 'Unauthorized', 'the API server does not take this token');
  return user;
}

/**
 * May this user do that? RBAC decides, as for kubectl.
 * @throws ApiError 403 naming the rule that is missing
 */
export async function authorize(client: Reviewer, user: User, wanted: Permission): Promise<void> {
  const { verb, resource: plural, subresource, namespace, name } = wanted;
  const { apiVersion, kind } = ACCESS_REVIEWS;
  const review = await client.create(ACCESS_REVIEWS, {
    apiVersion,
    kind,
    metadata: { name: '' },
    spec: {
      user: user.username,
      ...(user.uid !== undefined && { uid: user.uid }),
      ...(user.groups && { groups: user.groups }),
      resourceAttributes: wanted,
    },
  });
  if (review.status?.allowed === true) return;
  const what = subresource === undefined ? plural : `${plural}/${subresource}`;
  const where = namespace === undefined ? `of ${name ?? 'all'}` : `in namespace ${namespace}`;
  throw new ApiError(403, 'Forbidden', `${user.username} may not ${verb} ${what} ${where}`);
}
