/** Hosts that come and go: start, reboot, power off, power cut, and waiting until one can be worked with. */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { QuorateError } from '../domain/errors.ts';
import { execOnHost } from './exec.ts';
import { clearConsole, consoleTail, initOf, killMachine, launchMachine, supervisorOf } from './machine.ts';
import type { HostRecord, LabPlace, LabRecord } from './state.ts';

/** A host of a lab, as the functions here need it. */
export interface PoweredHost {
  readonly place: LabPlace;
  readonly record: LabRecord;
  readonly host: HostRecord;
}

const bootTimeoutMs = 60_000;

/** Starts a host that is off and waits until it is ready; does nothing for one that runs. */
export async function startHost(target: PoweredHost): Promise<void> {
  const { place, record, host } = target;
  if ((await supervisorOf(place, host.name)) === undefined) {
    await killMachine(place, host.name);
    await clearConsole(place, host.name);
    await launchMachine(place, record, host);
  }
  await waitReady(target);
}

/** Reboots a host in good order and waits until it is ready again. */
export async function rebootHost(target: PoweredHost): Promise<void> {
  const { place, host } = target;
  const before = await initOf(place, host.name);
  await execOnHost({ place, host: host.name }, ['systemctl', 'reboot']);
  await until(target, 'has not shut down', async () => (await initOf(place, host.name)) !== before);
  await waitReady(target);
}

/** Shuts a host down in good order and waits until it is off. */
export async function powerOffHost(target: PoweredHost): Promise<void> {
  const { place, host } = target;
  if ((await initOf(place, host.name)) === undefined) return;
  await execOnHost({ place, host: host.name }, ['systemctl', 'poweroff']);
  await until(target, 'has not shut down', async () => (await supervisorOf(place, host.name)) === undefined);
  await killMachine(place, host.name);
}

/**
 * Ends every process of a host at once. What it had written is kept even where it was not synced, because this
 * machine's page cache lives on: a lost disk cache is not simulated.
 */
export async function cutPower(target: PoweredHost): Promise<void> {
  await killMachine(target.place, target.host.name);
}

/** Waits until a host has booted and its sshd answers. Throws `step-failed` with the console's last lines after 60 s. */
async function waitReady(target: PoweredHost): Promise<void> {
  const { place, host } = target;
  await until(target, 'has not booted', async () => {
    if ((await supervisorOf(place, host.name)) === undefined) return 'its machine has ended';
    if ((await initOf(place, host.name)) === undefined) return false;
    const state = await execOnHost({ place, host: host.name }, ['systemctl', 'is-system-running', '--wait']);
    return /^(running|degraded)\n$/.test(state.stdout);
  });
  await until(target, 'does not answer on port 22', () => greets(host.ipv4));
}

type Condition = () => Promise<boolean | string>;

/** Polls until `condition` is true; a string is a reason to give up at once. */
async function until(target: PoweredHost, complaint: string, condition: Condition): Promise<void> {
  const { place, host } = target;
  const end = Date.now() + bootTimeoutMs;
  // The first look comes too early to count: a machine writes itself down a moment after it was started.
  const grace = Date.now() + 3000;
  for (;;) {
    const state = await condition().catch(() => false);
    if (state === true) return;
    const givenUp = typeof state === 'string' && Date.now() > grace;
    if (givenUp || Date.now() > end) {
      const reason = typeof state === 'string' ? state : `within ${bootTimeoutMs / 1000} s`;
      throw new QuorateError('step-failed', `${host.name}: ${complaint}: ${reason}`, {
        host: host.name,
        detail: await consoleTail(place, host.name),
      });
    }
    await sleep(25);
  }
}

/** Whether an SSH server on port 22 sends its greeting within a second. */
async function greets(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: 22, timeout: 1000 });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', (data) => end(data.toString('latin1').startsWith('SSH-')));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
    socket.once('close', () => end(false));
  });
}
