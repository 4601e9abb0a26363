/** A command of the table, with what may differ between two calls. */
export type HostCommand =
  /** Addresses and state of one network card, as JSON. */
  | { name: 'addresses'; card: string }
  /** Address of the management controller (BMC), as text of ipmitool. */
  | { name: 'bmcAddress' }
  /** Multipath devices with the state of each path, as JSON. */
  | { name: 'multipaths' };

export interface CommandPlan {
  /** Program and arguments, each one word. */
  words: readonly string[];
  /** Needs root: an account that is not root gets it by a rule of sudo for these very words. */
  needsRoot: boolean;
  /** The host ends it after this time, whole seconds. */
  limitSeconds: number;
}

/** Linux: 15 bytes without blanks and slashes; here without what a shell or `ip` could take for something else, too. */
const CARD = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/;

/** Is this a name that a network card can have? */
const isCardName = (text: string): boolean => CARD.test(text) && text !== '.' && text !== '..';

/**
 * What runs on the host. The words are fixed; arguments are checked against a pattern that has no blanks, quotes or
 * leading hyphens.
 * @throws RangeError naming the argument
 */
export function planOf(command: HostCommand): CommandPlan {
  switch (command.name) {
    case 'addresses':
      if (!isCardName(command.card)) throw new RangeError(`"${command.card}" is no name of a network card`);
      return plan(['ip', '-json', '-details', 'address', 'show', 'dev', command.card], { limitSeconds: 2 });
    case 'bmcAddress':
      // A management controller is asked over a slow bus.
      return plan(['ipmitool', 'lan', 'print', '1'], { needsRoot: true, limitSeconds: 10 });
    case 'multipaths':
      return plan(['multipathd', 'show', 'maps', 'json'], { needsRoot: true, limitSeconds: 10 });
  }
}

const plan = (
  words: readonly string[],
  { needsRoot = false, limitSeconds }: { needsRoot?: boolean; limitSeconds: number },
): CommandPlan => ({ words, needsRoot, limitSeconds });

/** Time from the first signal on the host to the one that nothing survives, s. */
const KILL_AFTER_SECONDS = 2;

/** Words that no shell takes for something else. */
const PLAIN = /^[A-Za-z0-9_@%+=:,./-]+$/;

/**
 * The line for the account's shell on the host: the command ends there by itself, speaks English, and finds the programs
 * of an administrator. Exit code 124 or 137 says that its time was over. What runs as root is ended by root: no signal of
 * the account reaches it.
 * @throws RangeError for a word that would need quotes
 */
export function commandLine({ words, needsRoot, limitSeconds }: CommandPlan, user: string): string {
  const environment = ['env', 'LC_ALL=C', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin'];
  const asRoot = needsRoot && user !== 'root' ? ['sudo', '-n'] : [];
  const line = [...environment, ...asRoot, 'timeout', '-k', String(KILL_AFTER_SECONDS), String(limitSeconds), ...words];
  const unfit = line.find(word => !PLAIN.test(word));
  if (unfit !== undefined) throw new RangeError(`"${unfit}" would need quotes in a shell`);
  return line.join(' ');
}

/** Exit codes of timeout(1): the time was over, and the command had to be killed. */
const ENDED_BY_TIMEOUT: readonly number[] = [124, 137];
export const isEndedByTimeout = (code: number): boolean => ENDED_BY_TIMEOUT.includes(code);

/** From the start of a command to when nothing more is to be expected from the host, ms; a busy host may be late. */
export const localLimitMs = ({ limitSeconds }: CommandPlan): number => (limitSeconds + KILL_AFTER_SECONDS + 2) * 1_000;
