import fc from 'fast-check';
import { play, schedules } from '/work/main/operator/ha/simulation/schedule.ts';
const n = Number(process.argv[2] ?? 200), seed = Number(process.argv[3] ?? Date.now() % 1e6);
const t = Date.now();
const r = fc.check(fc.property(schedules, s => void play(s)), { numRuns: n, seed });
console.log('seed', seed, 'runs', r.numRuns, 'failed', r.failed, (Date.now()-t)/1000,'s');
if (r.failed) { console.log(JSON.stringify(r.counterexample)); console.log(String(r.errorInstance)); }
