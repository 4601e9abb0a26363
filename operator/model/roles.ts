/** What an instance is in its group. A standby is never eligible by default (protocol, Words). */
export type Role = 'rw' | 'ro' | 'standby';

/** Which program serves the data. */
export type EngineName = 'polardb' | 'postgresql';

/** `share`: one volume for all members. `local`: a volume each, with streaming replication. */
export type Topology = 'share' | 'local';
