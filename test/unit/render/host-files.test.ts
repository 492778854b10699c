/** Rendered files against golden files, one set for each minor (UPDATE=1 writes them anew). */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Cluster } from '../../../src/domain/cluster.ts';
import { comparableConfig } from '../../../src/domain/run-record.ts';
import { renderBootstrapFiles, renderHostFiles } from '../../../src/render/host-files.ts';
import { awkward, cluster, inputFor, templates } from './cluster.ts';

const golden = new URL('../../fixtures/render/', import.meta.url);
const update = process.env['UPDATE'] === '1';

const cases: Readonly<Record<string, Cluster>> = {
  '3.4': cluster('3.4.45'),
  '3.5': cluster('3.5.35'),
  '3.6': cluster('3.6.16'),
  '3.7': cluster('3.7.3'),
  awkward,
};

function render(desired: Cluster) {
  return desired.controllers.slice(0, 3).flatMap((controller) => {
    const input = inputFor(desired);
    const files = [...renderHostFiles(desired, controller, input), ...renderBootstrapFiles(desired, controller, input)];
    return files.map((file) => ({
      name: `${controller.name}${file.path}`.replaceAll('/', '__').replaceAll(/[^\w.-]+/g, '-'),
      file,
    }));
  });
}

describe.each(Object.entries(cases))('for %s', (name, desired) => {
  const folder = new URL(`${name}/`, golden);
  // One host says it all where hosts differ by name and address only.
  const rendered = render(desired).filter(({ name: each }) => name === 'awkward' || each.startsWith('etcd-1__'));

  it('renders the golden files', () => {
    if (update) {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
      for (const { name: each, file } of rendered) writeFileSync(new URL(each, folder), file.content);
    }
    expect(readdirSync(folder).sort()).toEqual(rendered.map(({ name: each }) => each).sort());
    for (const { name: each, file } of rendered) {
      expect(file.content, each).toBe(readFileSync(new URL(each, folder), 'utf8'));
    }
  });

  it('renders the same whatever the order of controllers and keys', () => {
    const reversed = {
      ...desired,
      controllers: [...desired.controllers].reverse(),
      etcd: Object.fromEntries(Object.entries(desired.etcd).reverse()),
    };
    const byName = (files: ReturnType<typeof render>) =>
      files.map(({ name: each, file }) => [each, file.content]).sort();
    expect(byName(render(reversed))).toEqual(byName(render(desired)));
  });

  it('ends every file in one line end, and leaves no trailing blanks', () => {
    for (const { name: each, file } of rendered) {
      expect(file.content, each).toMatch(/[^\n]\n$/);
      expect(file.content, each).not.toMatch(/[ \t]\n|\r|undefined|\[object/);
    }
  });
});

describe('host files', () => {
  const [first] = cluster('3.6.16').controllers;
  if (first === undefined) throw new Error('no controller');

  it('are complete, sorted, and say who may read them and what needs a restart', () => {
    const files = renderHostFiles(cluster('3.6.16'), first, inputFor(cluster('3.6.16')));
    expect(files.map((each) => `${each.path} ${each.mode} ${each.owner}:${each.group} ${each.restart}`)).toEqual([
      '/etc/bash_completion.d/etcdctl 0644 root:root false',
      '/etc/etcd/etcd-config.yml 0640 root:etcd true',
      '/etc/etcd/record-start.sh 0644 root:root false',
      '/etc/etcd/record-starting.sh 0644 root:root false',
      '/etc/profile.d/etcdctl.sh 0644 root:root false',
      '/etc/systemd/system/etcd.service 0644 root:root true',
    ]);
    for (const { why } of files) expect(why.length).toBeGreaterThan(10);
  });

  it('never say `new` below /etc; only the copy below /run does, and differs in nothing else', () => {
    const files = renderHostFiles(cluster('3.6.16'), first, inputFor(cluster('3.6.16')));
    const once = renderBootstrapFiles(cluster('3.6.16'), first, inputFor(cluster('3.6.16')));
    expect(once.map(({ path }) => path)).toEqual([
      '/run/quorate/bootstrap/environment',
      '/run/quorate/bootstrap/etcd-config.yml',
    ]);
    const lasting = files.find(({ path }) => path.endsWith('.yml'))?.content ?? '';
    const passing = once.find(({ path }) => path.endsWith('.yml'))?.content ?? '';
    expect(parse(lasting)).toMatchObject({ 'initial-cluster-state': 'existing' });
    expect(parse(passing)).toEqual({ ...parse(lasting), 'initial-cluster-state': 'new' });
    expect(comparableConfig(passing)).toBe(comparableConfig(lasting));
    expect(comparableConfig(lasting)).not.toMatch(/^initial-cluster/m);
    expect(comparableConfig(lasting)).toMatch(/^initial-advertise-peer-urls:/m);
  });

  it('refuse keys that the version would ignore', () => {
    const old = cluster('3.5.35', { etcd: { 'max-learners': 2 } });
    expect(() => renderHostFiles(old, first, inputFor(old))).toThrow('etcd.max-learners: does not exist in etcd 3.5');
  });

  it('fail where a template says anything but what was meant', () => {
    const broken = {
      'client-cert-auth: true': 'client-cert-auth: false',
      'strict-reconfig-check: true': '',
      'logger: zap': 'logger: zap\nheartbeat: 100',
    };
    for (const [right, wrong] of Object.entries(broken)) {
      const text = templates['etcd-config.yml']?.replace(right, wrong) ?? '';
      const input = { ...inputFor(cluster('3.6.16')), templates: { ...templates, 'etcd-config.yml': text } };
      const render = () => renderHostFiles(cluster('3.6.16'), first, input);
      expect(render, wrong).toThrow('does not say what was meant');
    }
  });

  it('names a revocation list only for ports that have one, in the one way that etcd reads', () => {
    const desired = cluster('3.6.16');
    const config = (revocations: readonly ('client' | 'peer')[]): string =>
      renderHostFiles(desired, first, { ...inputFor(desired), revocations }).find(({ path }) =>
        path.endsWith('etcd-config.yml'),
      )?.content ?? '';
    const [none, one, both] = [config([]), config(['client']), config(['peer', 'client'])];
    expect(none).not.toContain('CRLFile');
    expect(parse(one)).toEqual({ ...parse(none), ClientTLSInfo: { CRLFile: '/etc/etcd/pki/client.crl' } });
    expect(parse(both)).toMatchObject({ PeerTLSInfo: { CRLFile: '/etc/etcd/pki/peer.crl' } });
    const added = one.split('\n').filter((line) => !none.split('\n').includes(line));
    expect(added).toEqual([expect.stringMatching(/^# /), expect.stringMatching(/^ClientTLSInfo: \{CRLFile: .*\}$/)]);
    expect(comparableConfig(one)).not.toBe(comparableConfig(none));
  });
});
