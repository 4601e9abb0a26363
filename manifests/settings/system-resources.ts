import type { Site } from '../schema.ts';

type Resources = Site['systemResources']['shared']['pfsd'];

const equal = (cpu: string, memory: string): Resources => ({ limits: { cpu, memory }, requests: { cpu, memory } });
const manager: Resources = {
  limits: { cpu: '1000m', memory: '512Mi' },
  requests: { cpu: '500m', memory: '128Mi' },
};

/** The sizes that the original ships. */
export const originalSystemResources: Site['systemResources'] = {
  share: true,
  shared: { pfsdTool: equal('500m', '256Mi'), pfsd: equal('500m', '256Mi'), manager },
  normal: { pfsdTool: equal('200m', '1Gi'), pfsd: equal('3800m', '7Gi'), manager },
};
