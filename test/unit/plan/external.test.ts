/** An authority elsewhere: keys that are requested for, what comes back, and runs that are killed on the way. */
import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { QuorateError } from '../../../src/domain/errors.ts';
import { currentGeneration } from '../../../src/domain/generation.ts';
import { requestFolder } from '../../../src/domain/layout.ts';
import { isEmpty, type Plan } from '../../../src/domain/plan.ts';
import { type LeafPurpose, leafPurposes } from '../../../src/domain/step.ts';
import { issueLeaf } from '../../../src/pki/issue.ts';
import { adminProfile, type LeafProfile, memberProfile } from '../../../src/pki/profile.ts';
import { readPublicKey } from '../../../src/pki/public-key.ts';
import { planBootstrap } from '../../../src/plan/bootstrap.ts';
import { planDrift } from '../../../src/plan/drift.ts';
import { type InstallWish, planExternalInstall } from '../../../src/plan/external-install.ts';
import type { OfferedFile } from '../../../src/plan/external-match.ts';
import { planExternalRequest } from '../../../src/plan/external-request.ts';
import { planAdd } from '../../../src/plan/member-add.ts';
import { planRescue } from '../../../src/plan/rescue.ts';
import { planRotate, type RotateWish, waitsForOthers } from '../../../src/plan/rotate.ts';
import { planRotateCa, type RotateCaWish } from '../../../src/plan/rotate-ca.ts';
import type { View } from '../../../src/plan/view.ts';
import { adminKeyOf, adminOf, authorityOf, certificateOf } from '../../fakes/certificates.ts';
import { Killed, runOn } from '../../fakes/executor.ts';
import { createModel, type Model } from '../../fakes/model.ts';
import { authority } from '../pki/material.ts';
import { cluster as clusterOf, controller } from '../render/cluster.ts';

const plain = clusterOf('3.6.16');
const cluster = { ...plain, pki: { ...plain.pki, external: ['client'] as const } };
const names = cluster.controllers.map((each) => each.name);
const outside: readonly LeafPurpose[] = ['server', 'client'];
const due: RotateWish = { members: [], purposes: leafPurposes, due: true, keys: 'make' };
const succession: RotateCaWish = {
  ...{ purposes: ['client'], until: 'leaves', crossSign: false, direction: 'forward', allowDowntime: false },
  clients: [],
};

const authorityFile = (): OfferedFile => ({ name: 'bundle.pem', text: authorityOf(cluster, 'client').pem });

/** What an authority elsewhere makes of the requests that lie on the hosts, and its own certificate. */
function answers(model: Model): readonly OfferedFile[] {
  const { now, pki } = model.view();
  const leaves = names.flatMap((name) =>
    outside.flatMap((purpose): OfferedFile[] => {
      const publicKey = model.host(name).texts[`${requestFolder(cluster)}/${purpose}.pub`];
      const text = publicKey && certificateOf(cluster, name, { purpose, publicKey, now });
      return text === undefined || text === '' ? [] : [{ name: `${name}.${purpose}.pem`, text }];
    }),
  );
  const admin = pki.adminKey === undefined ? [] : [{ name: 'operator.client.pem', text: adminOf(cluster, now) }];
  return [...leaves, ...admin, authorityFile()];
}

/** The same of another authority, as of now. */
function successorAnswers(model: Model): readonly OfferedFile[] {
  const { now } = model.view();
  const { signer, pem } = authority({ now, clusterName: 'next' });
  const sign = (profile: LeafProfile, key: string): string => {
    const publicKey = readPublicKey(key, cluster.pki.algorithm);
    return issueLeaf(signer, { profile, publicKey, policy: cluster.pki, serial: randomBytes(20), now }).pem;
  };
  const leaves = cluster.controllers.flatMap((controller) =>
    outside.map((purpose) => {
      const key = model.host(controller.name).texts[`${requestFolder(cluster)}/${purpose}.pub`] ?? '';
      return sign(memberProfile(purpose, controller, cluster.pki), key);
    }),
  );
  return [...leaves, sign(adminProfile(cluster.pki), adminKeyOf(cluster)), pem].map((text, index) => ({
    name: `${index}.pem`,
    text,
  }));
}

const wishOf = (files: readonly OfferedFile[]): InstallWish => ({ files, until: 'trust-both', allowDowntime: false });

async function run(model: Model, planner: (view: View) => Plan): Promise<void> {
  const { error } = await runOn(model, planner(model.view()));
  expect(error).toBeUndefined();
}

const request = (view: View): Plan => planExternalRequest(view, { members: [] });

async function requested(): Promise<Model> {
  const model = createModel(cluster);
  await run(model, request);
  return model;
}

async function formed(): Promise<Model> {
  const model = await requested();
  const files = answers(model);
  await run(model, (view) => planExternalInstall(view, wishOf(files)));
  await run(model, planBootstrap);
  return model;
}

/** Everything that a refusal says. */
function complaints(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (!(error instanceof QuorateError)) throw error;
    const all = error.errors.length === 0 ? [error] : error.errors;
    return all.map((each) => `${each.message} (${each.hint})`).join('\n');
  }
  return '';
}

function keysOf(model: Model): readonly (string | undefined)[] {
  return names.flatMap((name) => {
    const host = model.host(name);
    const folder = `${cluster.paths.configDir}/pki.d/${currentGeneration(cluster, host)}`;
    return leafPurposes.map((each) => host.texts[`${folder}/${each}.pub`]);
  });
}

function stop(model: Model, name: string): void {
  model.edit(name, (host) => ({ ...host, unit: { ...host.unit, activeState: 'inactive' } }));
}

function expectWhole(model: Model): void {
  for (const name of names) expect([name, model.mismatchedPairs(name)]).toEqual([name, []]);
}

function expectNothingLeft(model: Model): void {
  expectWhole(model);
  for (const name of names) expect(model.host(name).files[requestFolder(cluster)]?.kind ?? 'absent').toBe('absent');
  expect(planDrift(model.view()).stages).toEqual([]);
}

describe('before there is a cluster', () => {
  it('bootstrap is refused, told what is not there and how it comes', async () => {
    const model = createModel(cluster);
    expect(complaints(() => planBootstrap(model.view()))).toContain('the client authority; etcd-1: server, client');
    expect(complaints(() => planBootstrap(model.view()))).toContain('certs ca external request');
    await run(model, request);
    expect(complaints(() => planBootstrap(model.view()))).toContain('operator: client');
  });

  it('keys are made once: asking again changes nothing', async () => {
    const model = await requested();
    const plan = request(model.view());
    expect(isEmpty(plan)).toBe(true);
    expect(plan.reasons.map((each) => each.host)).toEqual(names);
    expect(model.host('etcd-1').texts[`${requestFolder(cluster)}/peer.pub`]).toBeUndefined();
  });

  it('what came back is kept, and bootstrap forms the cluster with it and with peers of its own', async () => {
    const model = await formed();
    expectNothingLeft(model);
    expect(model.pki().authorities).toMatchObject([
      { id: 'client-1', status: 'active', signsElsewhere: true },
      { id: 'peer-1', status: 'active' },
    ]);
    expect(model.pki().admin).toBe(adminOf(cluster, model.view().now));
  });

  it('an inventory that wants no authority elsewhere is told how to say so', () => {
    expect(complaints(() => request(createModel(plain).view()))).toContain('pki: { external: [client]');
  });
});

describe('what comes back', () => {
  let model: Model;
  beforeAll(async () => {
    model = await requested();
  });
  const told = (files: readonly OfferedFile[]): string =>
    complaints(() => planExternalInstall(model.view(), wishOf(files)));
  const but = (name: string, ...others: readonly OfferedFile[]): readonly OfferedFile[] => [
    ...answers(model).filter((each) => each.name !== name),
    ...others,
  ];
  const textOf = (name: string): string => answers(model).find((each) => each.name === name)?.text ?? '';

  it('is refused where one is lacking, or nothing is there at all', () => {
    expect(told(but('etcd-2.server.pem'))).toContain('etcd-2: no certificate came back for its server key');
    expect(told(but('operator.client.pem'))).toContain("no certificate came back for the operator's key");
    expect(told([])).toContain('there is no certificate in it');
  });

  it('is refused without its authority, and with a certificate for a key that nobody has', () => {
    expect(told(but('bundle.pem'))).toContain('is in none of the files');
    const stranger = model.host('etcd-1').texts[`${requestFolder(cluster)}/server.pub`] ?? '';
    const other = certificateOf(cluster, 'etcd-2', { purpose: 'server', publicKey: stranger, now: model.view().now });
    const words = told(but('etcd-1.server.pem', { name: 'etcd-1.server.pem', text: other }));
    expect(words).toContain('etcd-1.server.pem: common name');
    expect(words).toContain('SAN 10.0.0.1 is missing');
  });

  it('is told wrong as a whole: every file, and nothing is planned', () => {
    const text = `${textOf('etcd-3.client.pem')}-----BEGIN ${'PRIVATE KEY'}-----\n`;
    const words = told(but('etcd-2.server.pem', { name: 'etcd-3.copy.pem', text }, { name: 'x.crt', text: 'DER' }));
    for (const each of ['etcd-3.copy.pem: holds a private key', 'x.crt: holds no certificate in PEM', 'etcd-2: no']) {
      expect(words).toContain(each);
    }
  });

  it('may lie in one file, in any order, with the requests beside it', () => {
    const text = answers(model)
      .map((each) => each.text)
      .reverse()
      .join('\n');
    const note = { name: 'etcd-1.server.csr', text: '-----BEGIN CERTIFICATE REQUEST-----\n' };
    const { stages } = planExternalInstall(model.view(), wishOf([note, { name: 'all.pem', text }]));
    expect(stages.flatMap((each) => each.steps.map(({ kind }) => kind))).toEqual([
      'authority.import',
      'certificate.accept',
    ]);
  });
});

describe('a cluster whose client authority is elsewhere', () => {
  it('is not rotated here: each verb says who signs, and peers are rotated', async () => {
    const view = (await formed()).view();
    const asked: RotateWish = { ...due, due: false };
    expect(complaints(() => planRotate(view, asked))).toContain('server, client certificates are signed elsewhere');
    expect(complaints(() => planRotate(view, asked))).toContain('--kind peer');
    expect(isEmpty(planRotate(view, { ...asked, purposes: ['peer'] }))).toBe(false);
    const words = complaints(() => planRotateCa(view, { ...succession, purposes: ['client', 'peer'] }));
    expect(words).toContain('the client authority signs elsewhere (pki.external)');
    expect(words).toContain('--authority peer');
    expect(isEmpty(planRotateCa(view, { ...succession, purposes: ['peer'] }))).toBe(false);
  });

  it('gets renewed certificates without a restart, its keys of requests gone then', async () => {
    const model = await formed();
    const before = keysOf(model);
    await run(model, request);
    expectWhole(model);
    expect(keysOf(model)).toEqual(before);
    const files = answers(model);
    const plan = planExternalInstall(model.view(), wishOf(files));
    expect(plan.stages.flatMap((each) => each.steps).filter((each) => each.kind === 'unit.restart')).toEqual([]);
    await run(model, (view) => planExternalInstall(view, wishOf(files)));
    expectNothingLeft(model);
    keysOf(model).forEach((each, index) => {
      const changes = leafPurposes[index % leafPurposes.length] !== 'peer';
      expect(each !== before[index]).toBe(changes);
    });
    expect(isEmpty(planExternalInstall(model.view(), wishOf(files)))).toBe(true);
  });

  it('gets nothing while a member is away, or while a rotation is open', async () => {
    const model = await formed();
    await run(model, request);
    const install = (view: View): string => complaints(() => planExternalInstall(view, wishOf(answers(model))));
    const view = model.view();
    const { 'etcd-2': _, ...hosts } = view.facts.hosts;
    const unreachable = { 'etcd-2': 'etcd-2: no route' };
    expect(install({ ...view, facts: { ...view.facts, hosts, unreachable } })).toContain('etcd-2: no route');
    const { 'etcd-2': seen } = view.facts.hosts;
    if (seen?.records.marker === undefined) throw new Error('etcd-2 is no member');
    const marker = { ...seen.records.marker, uuid: 'another' };
    const stranger = { ...seen, records: { ...seen.records, marker } };
    const among = { ...view.facts, hosts: { ...hosts, 'etcd-2': stranger } };
    expect(install({ ...view, facts: among })).toContain('etcd-2: belongs to another cluster');
    const goal = { kind: 'rotate', purposes: ['peer'], keys: 'make', targets: { 'etcd-1': 2 } } as const;
    model.editPki((pki) => ({ ...pki, goals: [{ ...goal, since: '2026-01-01T00:00:00.000Z', who: 'x' }] }));
    expect(install(model.view())).toMatch(/a rotation is open.*quorate certs ca external install again/);
  });

  it('gets another authority in stages: trusted by all first, then its certificates', async () => {
    const model = await formed();
    await run(model, request);
    const files = successorAnswers(model);
    const all = planExternalInstall(model.view(), { ...wishOf(files), until: 'leaves' });
    expect(all.stages.map((each) => each.id)).toEqual(
      expect.arrayContaining(['accept', 'trust-both-roll', 'leaves-issue']),
    );
    const both = planExternalInstall(model.view(), wishOf(files));
    const kinds = both.stages.flatMap((each) => each.steps.map(({ kind }) => kind));
    expect(kinds.filter((each) => each === 'unit.restart')).toHaveLength(3);
    expect(kinds).not.toContain('authority.activate');
    await run(model, (view) => planExternalInstall(view, wishOf(files)));
    expectWhole(model);
    const words = complaints(() => planRotateCa(model.view(), { ...succession, direction: 'back' }));
    expect(words).toBe('');
    const leaves = planExternalInstall(model.view(), { ...wishOf(files), until: 'leaves' });
    const made = leaves.stages.flatMap((each) => each.steps).filter((each) => each.kind === 'key.make');
    expect(made).toEqual([]);
    const old = answers(model);
    await run(model, (view) => planExternalInstall(view, { ...wishOf(files), until: 'leaves' }));
    expectWhole(model);
    expect(model.pki().authorities.map(({ id, status }) => [id, status])).toContainEqual(['client-2', 'active']);
    await run(model, request);
    const late = complaints(() => planExternalInstall(model.view(), wishOf([...old, ...answers(model)])));
    expect(late).toMatch(/client-1 \(.*\) signs no more here: it is outgoing/);
    await run(model, (view) => planRotateCa(view, { ...succession, until: 'trust-new' }));
    expectWhole(model);
    expect(model.pki().authorities.map(({ id, status }) => [id, status])).toContainEqual(['client-1', 'retired']);
  });

  it('is killed before any step of it, and goes on to the same end', { timeout: 120_000 }, async () => {
    const first = await formed();
    await run(first, request);
    const { stages } = planExternalInstall(first.view(), wishOf(answers(first)));
    const steps = stages.flatMap((each) => each.steps.map((step) => step.id)).filter((id) => !/\/etcd-[13]\//.test(id));
    expect(steps.length).toBeGreaterThan(6);
    for (const id of steps) {
      const model = await formed();
      await run(model, request);
      const files = answers(model);
      const plan = planExternalInstall(model.view(), wishOf(files));
      const { error } = await runOn(model, plan, { fault: (step) => (step.id === id ? 'kill' : undefined) });
      expect(error, id).toBeInstanceOf(Killed);
      expectWhole(model);
      await run(model, (view) => planExternalInstall(view, wishOf(files)));
      expectNothingLeft(model);
    }
  });

  it('gets another authority also where each of its runs is killed before any step', { timeout: 120_000 }, async () => {
    const first = await formed();
    await run(first, request);
    const next = successorAnswers(first);
    const install = (view: View): Plan => planExternalInstall(view, { ...wishOf(next), until: 'leaves' });
    const { stages } = install(first.view());
    const steps = stages.flatMap((each) => each.steps.map((step) => step.id)).filter((id) => !/\/etcd-[13]\//.test(id));
    expect(steps.length).toBeGreaterThan(12);
    for (const id of steps) {
      const model = await formed();
      await run(model, request);
      const files = successorAnswers(model);
      const planner = (view: View): Plan => planExternalInstall(view, { ...wishOf(files), until: 'leaves' });
      const { error } = await runOn(model, planner(model.view()), {
        fault: (step) => (step.id === id ? 'kill' : undefined),
      });
      expect(error, id).toBeInstanceOf(Killed);
      expectWhole(model);
      await run(model, planner);
      await run(model, (view) => planRotateCa(view, { ...succession, until: 'trust-new' }));
      expectNothingLeft(model);
    }
  });

  it('takes in another member once its certificates came from there', async () => {
    const model = await formed();
    const four = { ...cluster, controllers: [...cluster.controllers, controller('etcd-4', '10.0.0.4')] };
    model.want(four);
    const add = (view: View): Plan => planAdd(view, { members: [], stallMs: 60_000 });
    expect(complaints(() => add(model.view()))).toContain('etcd-4: server, client');
    const ask = (view: View): Plan => planExternalRequest(view, { members: ['etcd-4'] });
    await run(model, ask);
    const { now } = model.view();
    const files = outside.map((purpose) => {
      const publicKey = model.host('etcd-4').texts[`${requestFolder(cluster)}/${purpose}.pub`] ?? '';
      return { name: purpose, text: certificateOf(four, 'etcd-4', { purpose, publicKey, now }) };
    });
    const install = (view: View): Plan => planExternalInstall(view, wishOf([...files, authorityFile()]));
    const plan = install(model.view());
    expect(plan.stages.flatMap((each) => each.steps.map(({ kind }) => kind))).toEqual(['certificate.accept']);
    expect(plan.warnings.join()).toContain('etcd-4: what was signed for it is kept until quorate member add');
    await run(model, install);
    expect(isEmpty(install(model.view()))).toBe(true);
    await run(model, add);
    expect(model.mismatchedPairs('etcd-4')).toEqual([]);
    expect(isEmpty(add(model.view()))).toBe(true);
  });

  it('tells what is due and that others must renew it, and renews its peers meanwhile', async () => {
    const model = await formed();
    expect(waitsForOthers(model.view(), due)).toBe(false);
    model.later(300);
    const plan = planRotate(model.view(), due);
    const words = plan.warnings.join('\n');
    expect(words).toContain('etcd-1: its server certificate: ends ');
    expect(words).toContain('operator: its certificate: ends ');
    expect(plan.warnings.at(-1)).toContain('certs ca external request');
    const issued = plan.stages.flatMap((each) => each.steps).filter((each) => each.kind === 'cert.issue');
    expect(
      issued.flatMap((each) => each.leaves.filter(({ key }) => key !== 'carry').map((leaf) => leaf.purpose)),
    ).toEqual(['peer', 'peer', 'peer']);
    await run(model, (view) => planRotate(view, due));
    expect(waitsForOthers(model.view(), due)).toBe(true);
    expect(waitsForOthers(model.view(), { ...due, purposes: ['peer'] })).toBe(false);
    expectWhole(model);
  });

  it('that is down is not rescued before its certificates came from there', async () => {
    const model = await formed();
    model.later(400);
    const words = complaints(() => planRescue(model.view()));
    expect(words).toContain('etcd-1: server, client; etcd-2');
    expect(words).toContain('operator: client');
    expect(words).toContain('certs ca external request');
    await run(model, request);
    const files = answers(model);
    const plan = planExternalInstall(model.view(), wishOf(files));
    expect(plan.stages.map((each) => each.id)).toEqual(['accept']);
    expect(plan.warnings.join('\n')).toContain('quorate certs rescue puts them into force');
    await run(model, (view) => planExternalInstall(view, wishOf(files)));
    for (const name of names) stop(model, name);
    await run(model, planRescue);
    expectNothingLeft(model);
  });

  it('is rescued where only its own peers have expired and the others are due', async () => {
    const model = await formed();
    model.later(300);
    expect(() => planRescue(model.view())).not.toThrow();
  });

  it('whose authority has expired is rescued with one that takes its place, and not before', async () => {
    const model = await formed();
    model.later(4000);
    const words = complaints(() => planRescue(model.view()));
    expect(words).toContain('the authority client-1 has expired, its key is elsewhere');
    expect(words).toContain('certs ca import --cert ca.crt --key ca.key --purpose client');
    await run(model, request);
    const next = successorAnswers(model);
    await run(model, (view) => planExternalInstall(view, wishOf(next)));
    expect(model.pki().authorities.find((each) => each.id === 'client-2')?.status).toBe('incoming');
    const plan = planRescue(model.view());
    expect(plan.stages[0]?.steps.map((each) => each.kind)).toEqual([
      'authority.replace',
      'authority.renew',
      'admin.issue',
    ]);
    expect(plan.stages.find((each) => each.id === 'restart')?.steps).toHaveLength(3);
  });

  it('is shown the way back to an authority of its own, and goes it', async () => {
    const model = await formed();
    model.want(plain);
    const words = complaints(() => planRotateCa(model.view(), succession));
    expect(words).toContain('pki.external of the inventory names it no more');
    expect(words).toContain('certs ca import --cert ca.crt --key ca.key --purpose client');
    const imported = { id: 'client-2', status: 'incoming', hasKey: true, signsElsewhere: false } as const;
    model.editPki((pki) => {
      const own = pki.authorities.flatMap((each) => (each.id === 'client-1' ? [{ ...each, ...imported }] : []));
      return { ...pki, authorities: [...pki.authorities, ...own] };
    });
    const plan = planRotateCa(model.view(), succession);
    expect(plan.stages.map((each) => each.id)).toContain('leaves-issue');
  });
});
