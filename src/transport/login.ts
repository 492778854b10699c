/** Logging in: agent, then key files, then password, as far as the inventory and the host allow each. */
import type { AnyAuthMethod } from 'ssh2';
import type { SshTarget } from '../domain/controller.ts';
import type { QuorateError } from '../domain/errors.ts';
import { stageFailure } from './failure.ts';
import type { LoadIdentity } from './identities.ts';
import type { FindSecret } from './secrets.ts';

/** What logging in needs besides the target. */
export interface LoginSources {
  readonly findSecret: FindSecret;
  readonly loadIdentity: LoadIdentity;
  /** The agent's socket: SSH_AUTH_SOCK. */
  readonly agentSocket: string | undefined;
}

/** One login in progress. */
export interface Login {
  /**
   * The next method that the host still allows (`left`: its list, null before it gave one); undefined when none is
   * left. A password is only sent to a host that has said it takes one.
   */
  next(left: readonly string[] | null): Promise<AnyAuthMethod | undefined>;
  /** Adds what came of the method under way, for the error. */
  remark(text: string): void;
  /** The error for a login that failed; `reason` is what the host said at the end, if it said anything. */
  failure(who: string, reason?: string): QuorateError;
}

interface Attempt {
  readonly method: 'publickey' | 'password' | 'keyboard-interactive';
  /** Words for the error: `agent`, `key /home/ada/.ssh/id_ed25519`, … */
  readonly label: string;
  /** The method, or why it can't be tried. */
  make(): Promise<AnyAuthMethod | { readonly unusable: string }>;
}

/** A login to one target. */
export function createLogin(target: SshTarget, sources: LoginSources): Login {
  const attempts = attemptsFor(target, sources);
  const tried: string[] = [];
  let allowed: readonly string[] | null = null;

  return {
    async next(left) {
      allowed = left ?? allowed;
      for (let attempt = attempts.shift(); attempt !== undefined; attempt = attempts.shift()) {
        if (left === null && attempt.method !== 'publickey') {
          attempts.unshift(attempt);
          return { type: 'none', username: target.user };
        }
        if (left !== null && !left.includes(attempt.method)) continue;
        const made = await attempt.make();
        if (!('unusable' in made)) {
          tried.push(attempt.label);
          return made;
        }
        tried.push(`${attempt.label} (${made.unusable})`);
      }
      return undefined;
    },
    remark(text) {
      tried.push(`${tried.pop() ?? 'login'} (${text})`);
    },
    failure: (who, reason) => loginRefused(who, target, { tried, allowed, reason }),
  };
}

function attemptsFor(target: SshTarget, sources: LoginSources): Attempt[] {
  const keys = target.identityFiles.map((file) => keyAttempt(file, target, sources));
  const passwords = target.passwordEnv === undefined ? [] : passwordAttempts(target, target.passwordEnv, sources);
  return [...(target.agent ? [agentAttempt(target, sources)] : []), ...keys, ...passwords];
}

function agentAttempt(target: SshTarget, { agentSocket }: LoginSources): Attempt {
  return {
    method: 'publickey',
    label: 'agent',
    make: async () =>
      agentSocket === undefined || agentSocket === ''
        ? { unusable: 'SSH_AUTH_SOCK is not set' }
        : { type: 'agent', username: target.user, agent: agentSocket },
  };
}

function keyAttempt(file: string, target: SshTarget, { loadIdentity }: LoginSources): Attempt {
  return {
    method: 'publickey',
    label: `key ${file}`,
    async make() {
      const identity = await loadIdentity(file, target.passphraseEnv);
      if ('unusable' in identity) return identity;
      return { type: 'publickey', username: target.user, key: identity.key };
    },
  };
}

/** Many hosts take a password by keyboard-interactive only (PAM); one that refused it as password is not given it twice. */
function passwordAttempts(target: SshTarget, envName: string, { findSecret }: LoginSources): Attempt[] {
  const { user: username } = target;
  let sent = false;
  const attempt = (method: 'password' | 'keyboard-interactive', use: (password: string) => AnyAuthMethod): Attempt => ({
    method,
    label: method,
    async make() {
      if (sent) return { unusable: 'same password' };
      const password = await findSecret(envName, `Password of ${username} at ${target.address}`);
      if (password === undefined) return { unusable: `${envName} is not set and there is no terminal to ask on` };
      sent = true;
      return use(password);
    },
  });
  return [
    attempt('password', (password) => ({ type: 'password', username, password })),
    attempt('keyboard-interactive', (password) => ({
      type: 'keyboard-interactive',
      username,
      prompt: (_name, _instructions, _language, prompts, finish) =>
        finish(prompts.map((prompt) => (prompt.echo === true ? '' : password))),
    })),
  ];
}

interface Outcome {
  readonly tried: readonly string[];
  readonly allowed: readonly string[] | null;
  readonly reason: string | undefined;
}

function loginRefused(who: string, target: SshTarget, { tried, allowed, reason }: Outcome): QuorateError {
  const accepts = allowed === null ? '' : `; it accepts ${allowed.join(', ')}`;
  const said = reason === undefined ? '' : ` (${reason})`;
  const what = tried.length === 0 ? 'nothing that it accepts could be tried' : `tried ${tried.join(', ')}`;
  return stageFailure('authentication', `${who} refused the login as ${target.user}${said}: ${what}${accepts}`, {
    hint: 'check `user`, and name a key (`identityFiles`), start an agent, or set `passwordEnv` in the inventory',
  });
}
