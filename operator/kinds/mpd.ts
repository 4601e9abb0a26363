import type { MPDClusterSpecInput, MPDClusterStatus } from '../../crds/mpdcluster.ts';
import type { MPDOperationSpecInput, MPDOperationStatus } from '../../crds/mpdoperation.ts';
import { resource } from '../kube/resources.ts';
import type { KubeObject } from '../kube/types.ts';
import { API_GROUP, API_VERSION } from '../model/names.ts';

/** The kinds as they come from the API server: not parsed yet. */
export interface RawCluster extends KubeObject {
  spec: MPDClusterSpecInput;
  status?: MPDClusterStatus;
}
export interface RawOperation extends KubeObject {
  spec: MPDOperationSpecInput;
  status?: Partial<MPDOperationStatus>;
}

const version = `${API_GROUP}/${API_VERSION}`;
export const MPD_CLUSTERS = resource<RawCluster>(version, 'MPDCluster', 'mpdclusters');
export const MPD_OPERATIONS = resource<RawOperation>(version, 'MPDOperation', 'mpdoperations');
