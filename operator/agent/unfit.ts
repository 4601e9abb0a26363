import type { EngineProfile } from '../engine/profile.ts';
import type { EngineName, Topology } from '../model/roles.ts';

/** Stands in for an engine that the image does not hold: the agent still answers, and says what is wrong. */
export function unfitEngine(choice: { dbType: EngineName; topology: Topology }, problem: Error): EngineProfile {
  const refuse = (): Promise<never> => Promise.reject(problem);
  return {
    engine: choice.dbType,
    topology: choice.topology,
    sql: { socketDir: '/nonexistent', port: 0, user: 'nobody' },
    image: undefined,
    serves: () => true,
    look: refuse,
    initialize: refuse,
    join: refuse,
    rejoin: refuse,
    launch: refuse,
    promote: refuse,
    demote: refuse,
    follow: refuse,
    cut: refuse,
    setQuorum: refuse,
    watch: () => ({ look: refuse, close: () => undefined }),
    observe: refuse,
    configure: refuse,
  };
}
