/**
 * A model of hosts on which steps have their effects: facts go in, facts come out. What it does not know is an error. It
 * notes every start with `new`, so that tests can hold what happened against what may never happen.
 */
import { createHash, createPublicKey } from 'node:crypto';
import type { Cluster } from '../../src/domain/cluster.ts';
import { QuorateError } from '../../src/domain/errors.ts';
import type { EndpointFacts, Facts, FileFact, HostFacts, MemberFact } from '../../src/domain/facts.ts';
import { currentGeneration, generationsOn, keyOwnership, requestsBeside } from '../../src/domain/generation.ts';
import { sameGoal } from '../../src/domain/goal.ts';
import {
  ATTEMPT_FILE,
  configFile,
  MARKER_FILE,
  pkiGeneration,
  pkiLink,
  STARTING_FILE,
  unitFile,
} from '../../src/domain/layout.ts';
import { hostsOf } from '../../src/domain/membership.ts';
import {
  type AuthorityView,
  activeAuthority,
  type PkiView,
  type RevocationListView,
  type Use,
} from '../../src/domain/pki-view.ts';
import { comparableConfig } from '../../src/domain/run-record.ts';
import { type FilePut, leafPurposes, type Step, type StepKind } from '../../src/domain/step.ts';
import type { Identity } from '../../src/domain/verdict.ts';
import { chainFile, tryParseChain } from '../../src/pki/chain.ts';
import { trustBundle } from '../../src/plan/certificates.ts';
import { prepareGaps } from '../../src/plan/generation-gaps.ts';
import { identityOf } from '../../src/plan/identity.ts';
import { fillToken, type HostStepKind } from '../../src/plan/need.ts';
import type { HostFiles, View } from '../../src/plan/view.ts';
import { renderBootstrapFiles, renderHostFiles } from '../../src/render/host-files.ts';
import { inputFor } from '../unit/render/cluster.ts';
import { adminKeyOf, adminOf, authorityOf, certificateOf, publicKeyOf } from './certificates.ts';
import { attemptOf, endpointOf, freshHost, identityWith, NOW, silentEndpoint } from './facts.ts';
import { configuredUrls, createMembers, firstMembers, type ModelMembers } from './model-members.ts';
import { createVersionModel, linkedVersion, type VersionModel } from './version-model.ts';

const UUID = '11111111-2222-4333-8444-555555555555';
export const TOKEN = 'f00dfacef00dfacef00dfacef00dface';

/** One start of a member with `initial-cluster-state: new`. */
export interface NewStart {
  readonly host: string;
  /** Whether it had data, at that moment or ever before. */
  readonly hadData: boolean;
  /** Hosts that had data at that moment. */
  readonly withData: readonly string[];
  /** Whether the store said at that moment that the cluster has been formed. */
  readonly formed: boolean;
}

/** Certificates by member and purpose. */
export type Issued = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface Model {
  readonly cluster: Cluster;
  /** The cluster's own list. */
  readonly members: ModelMembers;
  /** Whether a majority of the voters serves. */
  hasQuorum(): boolean;
  /** A host that is dead and cannot be reached; the way back. */
  unplug(name: string): () => void;
  /** What members tell of versions. */
  versions(members: readonly string[]): ReturnType<VersionModel['answers']>;
  readonly etcd: VersionModel;
  readonly newStarts: readonly NewStart[];
  /** A fresh look at everything. */
  view(): View;
  /** The view for facts that may be older. */
  viewOf(facts: Facts): View;
  host(name: string): HostFacts;
  pki(): PkiView;
  /** The effect of a step on its host; `issued` holds this run's certificates. */
  applyToHost(step: Step<HostStepKind>, issued: Issued): void;
  /** The effect of a step of the operator. */
  applyToOperator(step: Step): void;
  issue(steps: readonly Step<'cert.issue'>[]): Issued;
  /** Edits the facts of a host, as a person with a shell would. */
  edit(name: string, change: (host: HostFacts) => HostFacts): void;
  /** Edits the store's public side. */
  editPki(change: (before: PkiView) => PkiView): void;
  /** Time goes on. */
  later(days: number): void;
  /** The inventory is about to call this host otherwise. */
  rename(from: string, to: string): void;
  /** The inventory changes: hosts stay as they are, and new controllers have fresh ones. */
  want(wanted: Cluster): void;
  /** Purposes whose private key behind the link is not that of their certificate. */
  mismatchedPairs(name: string): readonly string[];
  reboot(name: string): void;
  /** Makes the member with this ID the leader. */
  moveLeader(targetId: string): void;
  /** The cluster was made elsewhere, without TLS, and has been adopted: it runs on the same data, and hosts have nothing else of quorate's. */
  madeInPlaintext(): void;
  /** Loses the data dir; with `everything` the whole machine is new. */
  wipe(name: string, what: 'data' | 'everything'): void;
}

function desiredOf(wanted: Cluster, inventory = wanted): Readonly<Record<string, HostFiles>> {
  const input = inputFor(inventory);
  return Object.fromEntries(
    wanted.controllers.map((controller) => [
      controller.name,
      {
        files: renderHostFiles(wanted, controller, input),
        bootstrapFiles: renderBootstrapFiles(wanted, controller, input),
      },
    ]),
  );
}

export function createModel(first: Cluster): Model {
  let cluster = first;
  let desired = desiredOf(cluster);
  const rendered = new Map<string, Pick<View, 'cluster' | 'desired' | 'checksums'>>();
  const hosts = new Map(cluster.controllers.map(({ name }) => [name, freshHost(name)]));
  const hadData = new Set<string>();
  const newStarts: NewStart[] = [];
  const versions = createVersionModel(cluster.controllers.map((each) => each.name));
  const privateKeys = new Map<string, string>();
  const keysMade = new Map<string, number>();
  let now = NOW;
  let leader: string | undefined;
  let pki: PkiView = { identity: undefined, authorities: [], admin: undefined, goals: [] };

  const host = (name: string): HostFacts => {
    const found = hosts.get(name);
    if (found === undefined) throw new Error(`${name} is no host of the model`);
    return found;
  };
  const edit = (name: string, change: (before: HostFacts) => HostFacts): void => {
    hosts.set(name, change(host(name)));
  };
  /** Who it was formed as. */
  const identity = (): Identity | undefined =>
    pki.identity === undefined
      ? undefined
      : { ...identityWith(first, pki.identity.uuid, pki.identity.token), formedAt: pki.identity.formedAt };
  const hostOf = (member: MemberFact) =>
    hostsOf(cluster).find((each) => members.idOf(each.name) === member.id) ??
    hostsOf(cluster).find((each) => member.peerUrls.includes(each.peerUrl));
  /** Where a process listens, by host, and those that started where nobody dials them, or with a certificate for another address. */
  const listens = new Map<string, string>();
  const cutOff = new Set<string>();
  const members = createMembers({
    initial: () => firstMembers(first, identity()?.memberIds ?? {}),
    serves: (member) => serving().includes(hostOf(member)?.name ?? ''),
  });
  const serving = (): readonly string[] =>
    [...hosts.values()]
      .filter((each) => each.unit.activeState === 'active' && each.data.wal && members.holds(each.host))
      .filter(({ host: name }) => !cutOff.has(name) || isDialled(name))
      .map((each) => each.host);
  const hasQuorum = (): boolean => {
    const voters = members.list().filter((each) => !each.learner);
    return voters.filter((each) => serving().includes(hostOf(each)?.name ?? '')).length > voters.length / 2;
  };
  const viewOf = (facts: Facts): View => ({
    cluster,
    facts,
    pki,
    identity: identityOf(cluster, pki.identity, facts),
    desired,
    checksums: {},
    now,
    render: (wanted) => desiredOf(wanted, cluster),
    atVersion: (version, etcd) => {
      const key = JSON.stringify([version, etcd]);
      const other = { ...cluster, version, etcd: { ...cluster.etcd, ...etcd } };
      const found = rendered.get(key) ?? { cluster: other, desired: desiredOf(other), checksums: {} };
      rendered.set(key, found);
      return found;
    },
  });
  const view = (): View => {
    const seen = Object.fromEntries(
      [...hosts].map(([name, each]) => [name, { ...asProbed(cluster, each), v2Log: versions.v2Log(name) }]),
    );
    return viewOf({ observedAt: NOW, hosts: seen, endpoints: endpoints(), unreachable: {} });
  };
  const endpoints = (): Readonly<Record<string, EndpointFacts>> => {
    const known = identity();
    if (known === undefined) return {};
    const up = serving();
    return Object.fromEntries(
      [...hosts.keys()].map((name) => [
        name,
        up.includes(name)
          ? endpointOf(cluster, known, name, {
              ...ownOf(name),
              ...(hasQuorum() ? leading(up) : { linearizable: false, leaderId: '0' }),
              ...{ version: versions.running(name) ?? cluster.version, downgradesTo: versions.downgradesTo() },
            })
          : silentEndpoint(name, `${name}: connection refused`),
      ]),
    );
  };
  const entryOf = (name: string): MemberFact | undefined => {
    const controller = hostsOf(cluster).find((each) => each.name === name);
    return controller && members.entryOf(name, controller.peerUrl);
  };
  const ownOf = (name: string): Partial<EndpointFacts> => {
    const entry = entryOf(name);
    const learner = entry?.learner === true;
    return { memberId: entry?.id ?? '', members: members.list(), learner, linearizable: !learner };
  };
  const leading = (up: readonly string[]): Partial<EndpointFacts> => {
    const voters = up.flatMap((name) => entryOf(name) ?? []).filter((each) => !each.learner);
    return { leaderId: voters.find((each) => each.id === leader)?.id ?? voters[0]?.id ?? '0' };
  };
  const isDialled = (name: string): boolean => {
    const { certificates, files } = host(name);
    const url = listens.get(name) ?? '';
    const generation = files[pkiLink(cluster)];
    const folder = generation?.kind === 'link' ? `${cluster.paths.configDir}/${generation.target}` : '';
    const served = tryParseChain(certificates[`${folder}/peer.crt`] ?? '')?.leaf.x509;
    const dialled = entryOf(name)?.peerUrls ?? [url];
    // Who was not started with certificates dials nobody who asks for one.
    const cannot = [...hosts.values()].some((each) => each.unit.activeState === 'active' && each.run === undefined);
    if (url.startsWith('https:') && cannot) return false;
    if (served === undefined) return dialled.includes(url);
    return dialled.includes(url) && served.checkIP(new URL(url).hostname) !== undefined;
  };
  /** Links that stand hold until a process ends: what is true at its next start decides. */
  const link = (name: string): void => {
    const config = host(name).texts[configFile(cluster)] ?? '';
    listens.set(name, /^initial-advertise-peer-urls: "?([^"\n]*)"?$/m.exec(config)?.[1] ?? '');
    if (members.list().length === 1 || isDialled(name)) cutOff.delete(name);
    else cutOff.add(name);
  };
  const start = (name: string, state: 'new' | 'existing'): void => {
    const before = host(name);
    const { wal } = before.data;
    if (state === 'new' && !wal) {
      const withData = [...hosts.values()].filter((each) => each.data.wal).map((each) => each.host);
      const formed = pki.identity?.formedAt !== undefined;
      newStarts.push({ host: name, hadData: hadData.has(name), withData, formed });
    }
    if (state === 'existing') {
      // The unit notes each first start, whether it comes to something or not.
      edit(name, (each) => ({
        ...each,
        records: { ...each.records, starting: each.records.starting ?? each.records.attempt },
      }));
    }
    edit(name, withUnit({ invocationId: `${Number(before.unit.invocationId) + 1}` }));
    edit(name, (each) => ({ ...each, run: runRecordOf(cluster, each) }));
    const version = linkedVersion(host(name), cluster.paths.binDir, cluster.version);
    if (!versions.start(name, version, host(name).texts[configFile(cluster)] ?? '')) {
      edit(name, withUnit({ activeState: 'failed' }));
      return;
    }
    const joins = (): boolean => {
      const peerUrl = hostsOf(cluster).find((each) => each.name === name)?.peerUrl ?? '';
      return hasQuorum() && members.join(name, peerUrl, configuredUrls(before.texts[configFile(cluster)] ?? ''));
    };
    link(name);
    const configured = (key: string): string =>
      new RegExp(`^${key}: "?([^"\n]*)"?$`, 'm').exec(host(name).texts[configFile(cluster)] ?? '')?.[1] ?? '';
    if (wal) members.publish(name, configured('name'), configured('advertise-client-urls').split(','));
    const fails = state === 'new' ? before.records.starting !== undefined : !wal && !joins();
    edit(name, withUnit({ activeState: !wal && fails ? 'activating' : 'active' }));
    if (wal || fails) return;
    hadData.add(name);
    edit(name, (each) => ({
      ...withUnit({ activeState: 'active' })(each),
      data: { ...each.data, wal: true, entries: ['member'] },
      files: { ...each.files, [`${cluster.paths.dataDir}/member`]: memberFolder },
      records: { ...each.records, starting: state === 'new' ? each.records.attempt : each.records.starting },
    }));
  };

  const effects: { readonly [K in HostStepKind]: (step: Step<K>, issued: Issued) => void } = {
    'package.hold': (step) =>
      edit(step.host, (each) => ({
        ...withUnit({ activeState: 'inactive' })(each),
        processes: [],
        packages: each.packages.map((one) => ({ ...one, held: true })),
      })),
    'user.ensure': (step) =>
      edit(step.host, (each) => ({ ...each, user: { exists: true, group: step.user, shell: '/usr/sbin/nologin' } })),
    'directory.ensure': (step) => {
      const { mode, owner, group } = step;
      const fact: FileFact = { kind: 'directory', mode, owner, group };
      edit(step.host, withFiles({ [step.path]: fact }));
      if (step.path !== cluster.paths.dataDir) return;
      edit(step.host, (each) => ({ ...each, data: { ...each.data, dataDir: fact } }));
    },
    'binary.install': (step) => {
      const files = step.names.map((name) => [
        `${step.directory}/${name}`,
        rootFile('0755', `${name} ${step.version}`),
      ]);
      edit(step.host, withFiles(Object.fromEntries(files)));
    },
    'binary.link': (step) => {
      const links = step.names.map((name) => [`${step.binDir}/${name}`, linkTo(`${step.directory}/${name}`)]);
      edit(step.host, withFiles(Object.fromEntries(links)));
    },
    'generation.prepare': (step) => {
      requireUnreferenced(step.host, step.directory);
      const gaps = prepareGaps(host(step.host), step);
      edit(
        step.host,
        withFiles({ [step.directory]: { kind: 'directory', mode: '0755', owner: 'root', group: 'root' } }),
      );
      for (const { leaf } of gaps) {
        const ends = ['crt', 'pub', 'key'].map((end) => `${step.directory}/${leaf.purpose}.${end}`);
        edit(step.host, (each) => without(each, ends));
        const from = leaf.key === 'requested' ? requestsBeside(step.directory) : step.from;
        if (leaf.key !== 'make') takeKey(step.host, `${from}/${leaf.purpose}`, `${step.directory}/${leaf.purpose}`);
      }
    },
    'key.make': (step) => {
      requireUnreferenced(step.host, step.directory);
      for (const purpose of step.purposes) {
        const base = `${step.directory}/${purpose}`;
        if (host(step.host).files[`${base}.key`]?.kind === 'file') continue;
        const count = (keysMade.get(`${step.host} ${purpose}`) ?? 0) + 1;
        keysMade.set(`${step.host} ${purpose}`, count);
        placeKey(step.host, base, publicKeyOf(cluster, step.host, purpose, count));
      }
    },
    'pki.put': (step, issued) => {
      requireUnreferenced(step.host, step.directory);
      const { certificates } = host(step.host);
      const leaves = step.leaves.flatMap(({ purpose, key, authority, cross }) => {
        const pem = key === 'carry' ? certificates[`${step.from}/${purpose}.crt`] : issued[step.host]?.[purpose];
        const behind = cross ? pki.authorities.find((each) => each.id === authority)?.cross : undefined;
        return pem === undefined ? [] : [[`${step.directory}/${purpose}.crt`, chainFile(pem, behind)] as const];
      });
      const bundles = (['client', 'peer'] as const).map((use) => {
        const text = trustBundle(pki.authorities, step.trust[use]);
        if (text === undefined) throw new Error(`trust in unknown authorities: ${step.trust[use].join(', ')}`);
        return [`${step.directory}/${use === 'client' ? 'ca' : 'peer-ca'}.crt`, text] as const;
      });
      const put = Object.fromEntries([...leaves, ...bundles]);
      edit(step.host, (each) => ({ ...each, certificates: { ...each.certificates, ...put } }));
      const lists = step.crls.map((use) => [`${step.directory}/${use}.crl`, listFile(pki, use)] as const);
      edit(step.host, withFiles(Object.fromEntries(lists)));
    },
    'pki.switch': (step) => edit(step.host, withFiles({ [step.link]: linkTo(step.target) })),
    'generation.prune': (step) => {
      const link = host(step.host).files[step.link];
      if (link?.kind !== 'link' || link.target !== step.target)
        throw new QuorateError('step-failed', 'it is not in use');
      const others = generationsOn(cluster, host(step.host)).filter((path) => !path.endsWith(`/${step.target}`));
      const requests = step.requests === undefined ? [] : [step.requests];
      edit(step.host, (each) => without(each, [...others, ...requests]));
    },
    'file.put': (step) => put(step.host, step),
    'file.remove': ({ host: name, path }) => {
      edit(name, withFiles({ [path]: { kind: 'absent' } }));
      edit(name, (each) => ({
        ...each,
        texts: Object.fromEntries(Object.entries(each.texts).filter(([key]) => key !== path)),
      }));
    },
    'record.attempt': (step) => {
      const known = view().identity;
      if (known === undefined) throw new Error('an attempt without an identity');
      if (host(step.host).data.wal) throw new QuorateError('step-failed', 'its data appeared meanwhile');
      edit(step.host, (each) => ({
        ...each,
        records: { ...each.records, attempt: attemptOf(known, step.host), starting: undefined },
      }));
    },
    'unit.enable': (step) => edit(step.host, withUnit({ fileState: 'enabled', loadState: 'loaded' })),
    'unit.start': (step) => {
      for (const file of step.files) put(step.host, file);
      if (step.state === 'new' && step.files.length === 0) throw new Error('started as new without the files for it');
      start(step.host, step.state);
    },
    'unit.restart': (step) => {
      start(step.host, 'existing');
      if (leader === entryOf(step.host)?.id) leader = undefined;
    },
    'marker.put': (step) => {
      const known = view().identity;
      if (known === undefined) throw new Error('a marker without an identity');
      const marker = { ...attemptOf(known, step.host), cluster: cluster.name, healthyAt: '2026-01-01T00:00:00.000Z' };
      edit(step.host, (each) => ({ ...without(each, step.files), records: { ...each.records, marker } }));
    },
    'unit.stop': (step) => edit(step.host, withUnit({ activeState: 'inactive' })),
    'unit.disable': (step) => edit(step.host, withUnit({ fileState: 'disabled' })),
    'data.aside': (step) => forgetData(step.host, step.path),
    'data.own': (step) => {
      const fact: FileFact = { kind: 'directory', mode: '0700', owner: step.user, group: step.user };
      edit(step.host, withUnit({ activeState: 'inactive' }));
      edit(step.host, withFiles({ [`${step.path}/${step.entry}`]: fact }));
    },
    'data.delete': (step) => forgetData(step.host, step.path),
    'path.remove': (step) =>
      edit(step.host, (each) => {
        const removed = (path: string): boolean => step.paths.some((one) => path === one || path.startsWith(`${one}/`));
        const kept = without(each, Object.keys(each.files).filter(removed));
        return { ...kept, records: { attempt: undefined, starting: undefined, marker: undefined, lock: undefined } };
      }),
  };
  const put = (name: string, file: FilePut): void => {
    const content = fillToken(file.content, viewOf({ observedAt: NOW, hosts: {}, endpoints: {}, unreachable: {} }));
    const { mode, owner, group } = file;
    const fact: FileFact = { kind: 'file', mode, owner, group, sha256: sha256(content) };
    edit(name, withFiles({ [file.path]: fact }));
    edit(name, withTexts({ [file.path]: content }));
    if (file.path === unitFile(cluster)) edit(name, withUnit({ loadState: 'loaded' }));
  };
  const forgetData = (name: string, path: string): void => {
    edit(name, (each) => {
      if (each.unit.activeState === 'active') throw new Error(`${name}: its data was taken from a running member`);
      return { ...without(each, [path]), data: { dataDir: { kind: 'absent' }, wal: false, entries: [] } };
    });
    hadData.delete(name);
  };
  /** Private keys by host and path, named by their public halves. */
  const placeKey = (name: string, base: string, publicKey: string): void => {
    const [purpose = 'server'] = leafPurposes.filter((each) => base.endsWith(`/${each}`));
    const key: FileFact = { kind: 'file', ...keyOwnership(purpose, cluster.user), sha256: '' };
    privateKeys.set(`${name} ${base}`, publicKey);
    edit(name, withFiles({ [`${base}.key`]: key, [`${base}.pub`]: rootFile('0644', base) }));
    edit(name, withTexts({ [`${base}.pub`]: publicKey }));
  };
  const takeKey = (name: string, from: string, to: string): void => {
    const publicKey = privateKeys.get(`${name} ${from}`);
    if (publicKey === undefined) throw new QuorateError('step-failed', `${from}.key is missing`);
    placeKey(name, to, publicKey);
  };
  const requireUnreferenced = (name: string, directory: string): void => {
    const current = currentGeneration(cluster, host(name));
    if (directory === pkiGeneration(cluster, current))
      throw new Error(`${name}: ${directory} is in use and was changed`);
  };
  const applyRow = <K extends HostStepKind>(step: Step<K>, issued: Issued): void => effects[step.kind](step, issued);
  const serve = (): void => {
    if (!hasQuorum()) return;
    for (const each of hosts.values()) if (each.unit.activeState === 'activating') start(each.host, 'existing');
  };

  return {
    get cluster() {
      return cluster;
    },
    members,
    hasQuorum,
    unplug: (name) => {
      const seen = host(name);
      hosts.delete(name);
      return () => hosts.set(name, seen);
    },
    newStarts,
    versions: (members) => versions.answers(members),
    etcd: versions,
    view,
    viewOf,
    host: (name) => asProbed(cluster, host(name)),
    pki: () => pki,
    applyToHost: (step, issued) => applyRow(step, issued),
    applyToOperator: (step) => {
      if (versions.perform(step)) return;
      pki = operatorEffect(step, pki, { cluster, now });
      if (step.kind === 'cluster.await') {
        serve();
        requireAll(step.members, serving());
      }
    },
    issue: (steps) =>
      Object.fromEntries(
        steps.map((step) => [
          step.member,
          Object.fromEntries(
            step.leaves.map(({ purpose }) => {
              const publicKey = host(step.member).texts[`${step.directory}/${purpose}.pub`];
              if (publicKey === undefined) throw new Error(`${step.member} shows no public key for ${purpose}`);
              const signed = pki.external?.[keyHash(publicKey)];
              return [purpose, signed ?? certificateOf(cluster, step.member, { purpose, publicKey, now })];
            }),
          ),
        ]),
      ),
    edit,
    editPki: (change) => {
      pki = change(pki);
    },
    rename: (from, to) => {
      members.rename(from, to);
      hosts.set(to, { ...host(from), host: to });
      hosts.delete(from);
      for (const [key, value] of privateKeys) {
        if (key.startsWith(`${from} `)) privateKeys.set(`${to} ${key.slice(from.length + 1)}`, value);
      }
      if (hadData.has(from)) hadData.add(to);
    },
    want: (wanted) => {
      cluster = wanted;
      desired = desiredOf(wanted);
      for (const { name } of hostsOf(wanted)) if (!hosts.has(name)) hosts.set(name, freshHost(name));
    },
    later: (days) => {
      now += days * 86_400_000;
    },
    mismatchedPairs: (name) => {
      const seen = host(name);
      const base = pkiGeneration(cluster, currentGeneration(cluster, seen));
      return leafPurposes.filter((purpose) => {
        const key = privateKeys.get(`${name} ${base}/${purpose}`);
        const leaf = tryParseChain(seen.certificates[`${base}/${purpose}.crt`] ?? '')?.leaf.x509.publicKey;
        return key === undefined || leaf?.export({ type: 'spki', format: 'pem' }) !== key;
      });
    },
    moveLeader: (targetId) => {
      leader = targetId;
    },
    reboot: (name) => {
      const { files } = host(name);
      const volatile = Object.keys(files).filter((path) => path.startsWith('/run/'));
      edit(name, (each) => without(each, volatile));
      edit(name, withUnit({ activeState: 'inactive' }));
      if (host(name).unit.fileState === 'enabled') start(name, 'existing');
    },
    madeInPlaintext: () => {
      members.speakPlainly();
      for (const name of hosts.keys()) {
        const { configDir, libDir } = cluster.paths;
        edit(name, (each) => ({ ...without(each, [configDir, libDir, unitFile(cluster)]), run: undefined }));
        listens.set(name, entryOf(name)?.peerUrls[0] ?? '');
      }
    },
    wipe: (name, what) => {
      if (what === 'everything') return edit(name, () => freshHost(name));
      edit(name, (each) => ({
        ...without(each, [`${cluster.paths.dataDir}/member`]),
        unit: { ...each.unit, activeState: 'inactive' },
        data: { ...each.data, wal: false, entries: [] },
      }));
    },
  };
}

function operatorEffect(
  step: Step,
  pki: PkiView,
  { cluster, now }: { readonly cluster: Cluster; readonly now: number },
): PkiView {
  switch (step.kind) {
    case 'store.create':
      return {
        ...pki,
        identity: {
          uuid: UUID,
          token: pki.identity === undefined ? TOKEN : `${pki.identity.token}+`,
          formedAt: pki.identity?.formedAt,
        },
      };
    case 'formation.note':
      return withFormed(pki, '2026-01-01T00:00:00.000Z');
    case 'formation.forget':
      return withFormed(pki, undefined);
    case 'authority.make': {
      const made = step.purposes.map((purpose): AuthorityView => {
        if (purpose !== 'client' && purpose !== 'peer' && purpose !== 'both') throw new Error(`purpose ${purpose}`);
        return {
          id: `${purpose}-1`,
          purpose,
          status: 'active',
          certificate: authorityOf(cluster, purpose).pem,
          cross: undefined,
          crossMade: undefined,
        };
      });
      return { ...pki, authorities: [...pki.authorities, ...made] };
    }
    case 'revocation.refresh':
      return {
        ...pki,
        crls: { ...pki.crls, ...Object.fromEntries(step.uses.map((use) => [use, listOf(pki, use, now)])) },
      };
    case 'admin.issue':
      return { ...pki, admin: pki.external?.[pki.adminKey ?? ''] ?? adminOf(cluster, now) };
    case 'admin.key': {
      const adminPublicKey = adminKeyOf(cluster);
      return { ...pki, adminPublicKey, adminKey: keyHash(adminPublicKey) };
    }
    case 'authority.import':
      return { ...pki, authorities: [...pki.authorities, takenIn(step, pki)] };
    case 'authority.activate':
      return step.ids.reduce(activated, pki);
    case 'authority.retire':
      return step.ids.reduce((now, id) => withStatus(now, (each) => (each.id === id ? 'retired' : each.status)), pki);
    case 'certificate.accept': {
      const kept = step.certificates.map((each) => [sha256(Buffer.from(each.publicKey, 'base64')), each.certificate]);
      return { ...pki, external: { ...pki.external, ...Object.fromEntries(kept) } };
    }
    case 'goal.set':
      return {
        ...pki,
        goals: [
          ...pki.goals.filter((each) => step.replaces === undefined || !sameGoal(each, step.replaces)),
          { ...step.goal, since: '2026-01-01T00:00:00.000Z', who: 'model' },
        ],
      };
    case 'goal.close':
      return { ...pki, goals: pki.goals.filter((each) => !sameGoal(each, step.goal)) };
    case 'release.fetch':
    case 'cluster.await':
    case 'cluster.prove':
    case 'certificates.prove':
    case 'revocation.prove':
      return pki;
    default:
      return unknownKind(step.kind);
  }
}

/** One that signs elsewhere. */
function takenIn({ authority, certificate }: Step<'authority.import'>, { authorities }: PkiView): AuthorityView {
  const [purpose] = (['client', 'peer', 'both'] as const).filter((each) => authority.startsWith(each));
  if (purpose === undefined) throw new Error(`${authority} names no authority`);
  const signs = authorities.some((each) => each.purpose === purpose && each.status === 'active');
  return {
    ...{ id: authority, purpose, certificate, cross: undefined, crossMade: undefined },
    ...{ status: signs ? 'incoming' : 'active', hasKey: false, signsElsewhere: true },
  };
}

/** It signs from now on, and the one that did is trusted and signs no more. */
function activated(pki: PkiView, id: string): PkiView {
  const next = pki.authorities.find((each) => each.id === id);
  if (next?.status !== 'incoming') throw new Error(`${id} is ${next?.status}, and cannot begin to sign`);
  return withStatus(pki, (each) => {
    if (each.id === id) return 'active';
    return each.purpose === next.purpose && each.status === 'active' ? 'outgoing' : each.status;
  });
}

function withStatus(pki: PkiView, statusOf: (each: AuthorityView) => AuthorityView['status']): PkiView {
  return { ...pki, authorities: pki.authorities.map((each) => ({ ...each, status: statusOf(each) })) };
}

/** sha256 of a public key (SPKI PEM). */
function keyHash(publicKey: string): string {
  return sha256(createPublicKey(publicKey).export({ type: 'spki', format: 'der' }));
}

function withFormed(pki: PkiView, formedAt: string | undefined): PkiView {
  if (pki.identity === undefined) throw new Error('a note about a cluster without an identity');
  return { ...pki, identity: { ...pki.identity, formedAt } };
}

function unknownKind(kind: StepKind): never {
  throw new Error(`the model knows no ${kind} with the operator`);
}

function requireAll(members: readonly string[], up: readonly string[]): void {
  const down = members.filter((each) => !up.includes(each));
  if (down.length > 0) throw new QuorateError('step-failed', `the cluster did not form: ${down.join(', ')}`);
}

/** What the unit would note at a start now. */
function runRecordOf(cluster: Cluster, host: HostFacts): HostFacts['run'] {
  const { certificates, unit } = asProbed(cluster, host);
  const digest = (name: string): string => sha256(certificates[`${pkiLink(cluster)}/${name}`] ?? '');
  return {
    invocationId: unit.invocationId,
    configSha256: sha256(comparableConfig(host.texts[configFile(cluster)] ?? '')),
    caSha256: digest('ca.crt'),
    peerCaSha256: digest('peer-ca.crt'),
    binarySha256: binaryOf(cluster, host),
    unitSha256: sha256(host.texts[unitFile(cluster)] ?? ''),
  };
}

/** The sha256 of what the link to etcd leads to. */
function binaryOf({ paths }: Cluster, { files }: HostFacts): string {
  const link = files[`${paths.binDir}/etcd`];
  const file = link?.kind === 'link' ? files[link.target] : link;
  return file?.kind === 'file' ? file.sha256 : '';
}

/** The probe sees notes as files, and certificates through the link too. */
function asProbed(cluster: Cluster, known: HostFacts): HostFacts {
  const { marker, attempt, starting } = known.records;
  const notes = { [MARKER_FILE]: marker, [ATTEMPT_FILE]: attempt, [STARTING_FILE]: starting };
  const there = Object.entries(notes).flatMap(([path, note]) => (note === undefined ? [] : [[path, NOTE] as const]));
  const host = withFiles(Object.fromEntries(there))(known);
  const link = host.files[pkiLink(cluster)];
  if (link?.kind !== 'link') return host;
  const folder = `${cluster.paths.configDir}/${link.target}/`;
  const seen = Object.entries(host.certificates)
    .filter(([path]) => path.startsWith(folder))
    .map(([path, pem]) => [`${pkiLink(cluster)}/${path.slice(folder.length)}`, pem]);
  return { ...host, certificates: { ...host.certificates, ...Object.fromEntries(seen) } };
}

function without(host: HostFacts, paths: readonly string[]): HostFacts {
  const keep = <T>(record: Readonly<Record<string, T>>): Readonly<Record<string, T>> =>
    Object.fromEntries(
      Object.entries(record).filter(([path]) => !paths.some((one) => path === one || path.startsWith(`${one}/`))),
    );
  return { ...host, files: keep(host.files), texts: keep(host.texts), certificates: keep(host.certificates) };
}

function withUnit(changes: Partial<HostFacts['unit']>): (host: HostFacts) => HostFacts {
  return (host) => ({ ...host, unit: { ...host.unit, ...changes } });
}

function withFiles(files: HostFacts['files']): (host: HostFacts) => HostFacts {
  return (host) => ({ ...host, files: { ...host.files, ...files } });
}

function withTexts(texts: HostFacts['texts']): (host: HostFacts) => HostFacts {
  return (host) => ({ ...host, texts: { ...host.texts, ...texts } });
}

/** A list as the operator makes it: another one at every moment and by every authority. */
export function listOf(pki: PkiView, use: Use, now: number): RevocationListView {
  const authority = activeAuthority(pki, use)?.id ?? '';
  const der = `${authority} ${now}`;
  const nextUpdate = now + 365 * 86_400_000;
  return { der, sha256: sha256(der), authority, thisUpdate: now, nextUpdate, lacksUntil: 0 };
}

function listFile(pki: PkiView, use: Use): FileFact {
  const list = pki.crls?.[use];
  if (list === undefined) throw new Error(`the store has no revocation list for ${use}`);
  return { kind: 'file', mode: '0644', owner: 'root', group: 'root', sha256: list.sha256 };
}

function linkTo(target: string): FileFact {
  return { kind: 'link', target };
}

const NOTE: FileFact = { kind: 'file', mode: '0600', owner: 'root', group: 'root', sha256: '' };

const memberFolder: FileFact = { kind: 'directory', mode: '0700', owner: 'etcd', group: 'etcd' };

function rootFile(mode: string, content: string): FileFact {
  return { kind: 'file', mode, owner: 'root', group: 'root', sha256: sha256(content) };
}

function sha256(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex');
}
