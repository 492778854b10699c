/** Revocation lists are signed anew by rotations, and reach every member without a restart. */
import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { clientTrust, type PkiView, peerTrust, type RevocationListView } from '../../../src/domain/pki-view.ts';
import type { Plan } from '../../../src/domain/plan.ts';
import { planBootstrap } from '../../../src/plan/bootstrap.ts';
import { listRefresh } from '../../../src/plan/revocation-refresh.ts';
import { planRotate, type RotateWish, rotationLeft } from '../../../src/plan/rotate.ts';
import { planRotateCa, type RotateCaWish } from '../../../src/plan/rotate-ca.ts';
import type { View } from '../../../src/plan/view.ts';
import { runOn } from '../../fakes/executor.ts';
import { createModel, listOf, type Model } from '../../fakes/model.ts';
import { dayMs } from '../pki/material.ts';
import { cluster as clusterOf } from '../render/cluster.ts';

const due: RotateWish = { members: [], purposes: ['server', 'peer', 'client'], due: true, keys: 'make' };
const replaceClient: RotateCaWish = {
  purposes: ['client'],
  until: 'drop-cross',
  crossSign: false,
  direction: 'forward',
  allowDowntime: false,
  clients: [],
};

let model: Model;
let view: View;
beforeEach(async () => {
  model = createModel(clusterOf('3.6.16'));
  expect((await runOn(model, planBootstrap(model.view()))).error).toBeUndefined();
  view = model.view();
});

function withList(change: Partial<RevocationListView> = {}): PkiView {
  return { ...view.pki, crls: { client: { ...listOf(view.pki, 'client', view.now), ...change } } };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function kinds({ stages }: Plan): readonly string[] {
  return [...new Set(stages.flatMap((stage) => stage.steps.map((step) => step.kind)))];
}

function refreshStages({ stages }: Plan): readonly string[] {
  return stages.filter(({ steps }) => steps.some(({ kind }) => kind === 'revocation.refresh')).map(({ id }) => id);
}

describe('a list', () => {
  it.each([
    ['that is young is let be', {}, 200, []],
    ['in the last third of its life is signed anew', {}, 250, ['client: it ends']],
    ['that lacks a revocation is signed anew', { lacksUntil: Date.UTC(2100, 0) }, 0, ['client: it lacks a revoked']],
    ['that lacks what has ended is let be', { lacksUntil: 1 }, 0, []],
    ['of an authority that signs no more is signed anew', { authority: 'client-0' }, 0, ['client: it is of client-0']],
  ])('%s', (_name, change, days, reasons) => {
    const { drafts, pki } = listRefresh(withList(change), view.now + days * dayMs);
    expect(drafts).toHaveLength(reasons.length);
    for (const [index, reason] of reasons.entries()) expect(drafts[index]?.why).toContain(reason);
    expect(listRefresh(pki, view.now + days * dayMs).drafts).toEqual([]);
  });

  it('of an authority that signs elsewhere is let be', () => {
    const pki = withList();
    const authorities = pki.authorities.map((each) => ({ ...each, hasKey: false }));
    expect(listRefresh({ ...pki, authorities }, view.now + 360 * dayMs).drafts).toEqual([]);
  });

  it('is not made where there is none', () => {
    expect(listRefresh(view.pki, view.now).drafts).toEqual([]);
  });
});

describe('certs rotate --due', () => {
  it('brings a list that was signed anew to every member, and then has nothing left to do', async () => {
    const pki = { ...view.pki, crls: { client: listOf(view.pki, 'client', view.now - 300 * dayMs) } };
    model.editPki(() => pki);
    const plan = planRotate(model.view(), due);
    expect(refreshStages(plan)).toEqual(['operator']);
    expect(kinds(plan)).toEqual([
      ...['revocation.refresh', 'generation.prepare', 'pki.put', 'pki.switch'],
      ...['certificates.prove', 'generation.prune'],
    ]);
    expect((await runOn(model, plan)).error).toBeUndefined();
    const made = model.view().pki.crls?.client?.sha256;
    for (const host of Object.values(model.view().facts.hosts)) {
      expect(host.files['/etc/etcd/pki.d/2/client.crl']).toMatchObject({ sha256: made });
    }
    expect(made).not.toBe(pki.crls.client.sha256);
    expect(rotationLeft(model.view(), due, plan).stages).toEqual([]);
    expect(planRotate(model.view(), due).stages).toEqual([]);
  });
});

describe('certs rotate-ca', () => {
  it('has the new authority sign the list once, as soon as it signs', async () => {
    model.editPki(() => withList());
    expect((await runOn(model, planRotate(model.view(), due))).error).toBeUndefined();
    const started = { invocationId: '1', configSha256: '', binarySha256: '', unitSha256: '' };
    const [caSha256, peerCaSha256] = [clientTrust(view.pki), peerTrust(view.pki)].map(sha256);
    for (const { name } of view.cluster.controllers) {
      const run = { ...started, caSha256: caSha256 ?? '', peerCaSha256: peerCaSha256 ?? '' };
      model.edit(name, (host) => ({ ...host, run }));
    }
    const plan = planRotateCa(model.view(), replaceClient);
    expect(refreshStages(plan)).toEqual(['leaves']);
    const leaves = plan.stages.find((each) => each.id === 'leaves')?.steps.map((each) => each.kind);
    expect(leaves).toEqual(['authority.activate', 'admin.issue', 'revocation.refresh']);
  });

  it('goes on where it was interrupted before that', () => {
    const authorities = view.pki.authorities.flatMap((each) =>
      each.id === 'client-1'
        ? [
            { ...each, status: 'outgoing' as const },
            { ...each, id: 'client-2', status: 'active' as const },
          ]
        : [each],
    );
    const pki = { ...withList(), authorities };
    expect(refreshStages(planRotateCa({ ...view, pki }, { ...replaceClient, until: 'leaves' }))).toEqual(['leaves']);
  });
});
