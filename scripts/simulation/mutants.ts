import { find, mutations, MOST_SCHEDULES } from '../../operator/ha/simulation/mutations.ts';

/** Takes each rule out and looks for a schedule that misses it. @returns whether all were found */
export function findAll(seed: number): boolean {
  const found = mutations.map(mutation => {
    const { schedules, schedule } = find(mutation, { seed, most: MOST_SCHEDULES });
    console.log(`${schedule ? `found after ${schedules}` : `NOT FOUND in ${schedules}`}: without "${mutation.rule}"`);
    return schedule !== undefined;
  });
  return found.every(Boolean);
}
