/** One host of a lab as an object: its power, commands inside it, and what can be made to go wrong on it. */
import { type Command, type ExecOptions, execOnHost, execOrThrow } from './exec.ts';
import { type Faults, faultsOf } from './faults.ts';
import { supervisorOf } from './machine.ts';
import { cutPower, type PoweredHost, powerOffHost, rebootHost, startHost } from './power.ts';
import type { ProgramResult } from './program.ts';

/** One host of a lab and everything that can be done to it. */
export interface LabHost extends Faults {
  readonly name: string;
  readonly ipv4: string;
  readonly ipv6: string;
  isRunning(): Promise<boolean>;
  /** Runs inside the host without SSH, as root unless `user` says otherwise; a non-zero status is a result. */
  exec(command: Command, options?: ExecOptions): Promise<ProgramResult>;
  /** Like `exec`, but gives stdout alone and throws `step-failed` for any status but 0. */
  sh(command: Command, options?: ExecOptions): Promise<string>;
  /** Starts the host if it is off; resolves once systemd has booted and sshd answers. */
  start(): Promise<void>;
  reboot(): Promise<void>;
  powerOff(): Promise<void>;
  /** Kills the whole machine at once. */
  powerCut(): Promise<void>;
}

/** The host that is recorded in a lab. */
export function hostOf(target: PoweredHost): LabHost {
  const { place, host } = target;
  const inside = { place, host: host.name };
  return {
    name: host.name,
    ipv4: host.ipv4,
    ipv6: host.ipv6,
    isRunning: async () => (await supervisorOf(place, host.name)) !== undefined,
    exec: (command, options) => execOnHost(inside, command, options),
    sh: (command, options) => execOrThrow(inside, command, options),
    start: () => startHost(target),
    reboot: () => rebootHost(target),
    powerOff: () => powerOffHost(target),
    powerCut: () => cutPower(target),
    ...faultsOf(target),
  };
}
