/** Certificates of ours: O is this, OU the part, CN its name. */
export const ORGANISATION = 'polardb-stack';

/** Who may talk to agents, as the OU of the client certificate says. */
export const PARTS = ['operator', 'cluster-manager', 'agent', 'cli'] as const;
export type Part = (typeof PARTS)[number];
