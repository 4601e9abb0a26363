import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Writer, type LoadTarget } from './writer.ts';

/**
 * A writer as a process of its own, so that nothing else that its caller does shows up as a gap. The first line of
 * standard input is the target (LoadTarget as JSON); each line of standard output is an event (LoadEvent); it ends
 * with its standard input.
 */
const stop = new AbortController();
const input = createInterface({ input: process.stdin });
const [line] = (await once(input, 'line')) as [string];
input.once('close', () => stop.abort());

const writer = new Writer(JSON.parse(line) as LoadTarget, event => process.stdout.write(`${JSON.stringify(event)}\n`));
await writer.run(stop.signal);
process.exit();
