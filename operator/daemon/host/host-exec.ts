import type { HostCommand } from './commands.ts';

/** How a command on the host ended. Only `exit` says something about the host; what a caller makes of it is its matter. */
export type HostResult =
  /** It ran to its end; a process that a signal ended has the code of a shell, 128 + signal. */
  | { kind: 'exit'; code: number; stdout: string; stderr: string }
  /** It did not end in its time and was ended, on the host too where the host still answers. */
  | { kind: 'timeout'; afterMs: number }
  /** There is no connection, or it broke: nobody knows whether the command ran. */
  | { kind: 'lost'; cause: Error }
  /** This site has no host commands: switched off, or without account, key or known host key. */
  | { kind: 'off'; why: string };

/** Runs commands of the table on the own host. Never rejects. */
export interface HostExec {
  /** @param signal ends it early, as `lost` */
  run(command: HostCommand, signal?: AbortSignal): Promise<HostResult>;
}
