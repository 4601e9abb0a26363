/** What a long piece of work tells while it runs: one event when a step begins, one when it ends. */
export interface Step {
  name: string;
  state: 'running' | 'done' | 'failed';
  /** Seconds since the step began. */
  seconds: number;
}

export type Report = (step: Step) => void;

/** Runs `work` as a step that the caller of the whole can see. */
export async function step<T>(report: Report, name: string, work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const tell = (state: Step['state']): void => report({ name, state, seconds: (performance.now() - began) / 1000 });
  tell('running');
  try {
    const result = await work();
    tell('done');
    return result;
  } catch (error) {
    tell('failed');
    throw error;
  }
}

/** One line per finished step, for terminals and logs alike. */
export function printSteps({ name, state, seconds }: Step): void {
  if (state !== 'running')
    console.error(`${seconds.toFixed(1).padStart(6)} s  ${name}${state === 'failed' ? ' FAILED' : ''}`);
}

export const silent: Report = () => undefined;
