/** Rules for names: of clusters, accounts, units, variables, releases and hazards. */
import { hazardIds } from '../domain/hazards.ts';
import { nearest } from '../domain/nearest.ts';
import { knownMinor, minors, parseVersion } from '../domain/version.ts';
import { flaw, type ValueRule } from './value-rule.ts';

const label = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;
const labelPattern = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?';

/** Cluster and controller names: one DNS label, since they become host names, SANs and folders. */
export const nameRule: ValueRule = {
  pattern: labelPattern,
  check: (text) => {
    if (text === 'operator') return flaw('means the machine that quorate runs on', 'write another name: operator-1');
    if (text.length > 63) return flaw(`has ${text.length} characters`, 'write at most 63');
    return label.test(text)
      ? undefined
      : flaw('is no name', 'write lower-case letters, digits and inner hyphens: controller-1');
  },
};

/** An account that is logged in to: sent to sshd, never to a shell. */
export const loginRule: ValueRule = {
  pattern: '[A-Za-z_][A-Za-z0-9._@-]{0,63}',
  check: (text) =>
    /^[A-Za-z_][A-Za-z0-9._@-]{0,63}$/.test(text) ? undefined : flaw('is no user name', 'write a login name: root'),
};

/** The account that etcd runs as. */
export const accountRule: ValueRule = {
  pattern: '[a-z_][a-z0-9_-]{0,30}',
  check: (text) => {
    if (text === 'root') return flaw('may read and write everything, which etcd must not', 'write etcd');
    return /^[a-z_][a-z0-9_-]{0,30}$/.test(text)
      ? undefined
      : flaw('is no name for a system account', 'write lower-case letters, digits, _ and -, at most 31: etcd');
  },
};

const vitalUnit =
  /^(systemd-.*|dbus(-.*)?|sshd?|network(ing|manager)?|getty|cron|rsyslog|init|rescue|emergency)\.service$/i;

/** A systemd service unit of its own. */
export const unitRule: ValueRule = {
  pattern: '[A-Za-z0-9][A-Za-z0-9_.-]{0,200}\\.service',
  check: (text) => {
    if (vitalUnit.test(text)) return flaw('belongs to the system', 'write a name of its own: etcd.service');
    return /^[A-Za-z0-9][A-Za-z0-9_.-]{0,200}\.service$/.test(text)
      ? undefined
      : flaw('is no name of a service unit', 'write letters, digits, _, . and - before .service: etcd.service');
  },
};

/** The name of an environment variable that holds a secret. People write the secret itself here: it is never shown. */
export const variableRule: ValueRule = {
  pattern: '[A-Za-z_][A-Za-z0-9_]{0,127}',
  secret: true,
  check: (text) =>
    /^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(text)
      ? undefined
      : flaw('is no name of an environment variable', 'write a name: SSH_PASSWORD; no secret stands in an inventory'),
};

/** An etcd release of a minor that quorate knows. */
export const versionRule: ValueRule = {
  pattern: '3\\.[4-7]\\.[0-9]{1,4}',
  check: (text) => {
    if (/^v\d/.test(text)) return flaw('begins with v', `write ${text.slice(1)}`);
    if (!/^\d+\.\d+\.\d+$/.test(text) || parseVersion(text) === undefined) {
      return flaw('is no release of etcd', 'write it in full: 3.6.16');
    }
    const known = `${minors[0]} to ${minors[minors.length - 1]}`;
    return knownMinor(text) === undefined
      ? flaw(`is of a minor that quorate does not know`, `write a release of ${known}: 3.6.16`)
      : undefined;
  },
};

/** The ID of a known hazard. */
export const hazardRule: ValueRule = {
  pattern: hazardIds.join('|'),
  check: (text) => {
    if (hazardIds.includes(text)) return undefined;
    const near = nearest(text, hazardIds);
    return flaw('is no known hazard', near === undefined ? `known: ${hazardIds.join(', ')}` : `did you mean ${near}?`);
  },
};
