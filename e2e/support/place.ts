import type { Scenario } from './scenario.ts';

/** What the tools of these tests need to know of where they work: of a scenario, or of a benchmark. */
export type Place = Pick<Scenario, 'client' | 'local' | 'eventually'>;
