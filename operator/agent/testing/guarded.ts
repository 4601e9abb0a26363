/**
 * A stand-in for an agent with a guard and a few sessions, driven by lines on standard input; run by guard.test.ts in
 * a PID namespace of its own.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { systemClock } from '../clock.ts';
import { Guard } from '../guard.ts';
import { jsonLog } from '../log.ts';
import { procTable, strangers } from '../proc.ts';

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const table = procTable();
const guard = new Guard({
  busybox: process.argv[2]!,
  log: jsonLog(() => undefined, {}),
  onLost: reason => {
    say(`lost ${reason}`);
    process.exit(3);
  },
});
const others = (): number => strangers(table, new Set([process.pid, guard.pid ?? 0])).length;

const commands: Record<string, (argument: string) => void> = {
  // Each in a session of its own, as backends of PostgreSQL are.
  engine: count => {
    for (let i = 0; i < Number(count); i++) spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' });
    say(`engine ${others()}`);
  },
  count: () => say(`count ${others()}`),
  guard: () => say(`guard ${guard.pid ?? 0}`),
  none: () => guard.tell('none'),
  heard: () => void guard.heard().then(() => say('heard')),
  unbounded: () => guard.tell('unbounded'),
  within: ms => guard.tell(systemClock.boottime() + Number(ms)),
  freeze: () => process.kill(process.pid, 'SIGSTOP'),
  killguard: () => void process.kill(guard.pid!, 'SIGKILL'),
  stopguard: () => void process.kill(guard.pid!, 'SIGSTOP'),
  die: () => process.kill(process.pid, 'SIGKILL'),
};

await guard.start();
say('up');
createInterface({ input: process.stdin }).on('line', text => {
  const [name = '', argument = ''] = text.split(' ');
  commands[name]?.(argument);
});
