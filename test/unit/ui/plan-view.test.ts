import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fileDiff } from '../../../src/ui/file-diff.ts';
import { foldInOrder, foldInTurn } from '../../../src/ui/fold.ts';
import { painter } from '../../../src/ui/paint.ts';
import { type PlanView, renderPlan, type StepLine } from '../../../src/ui/plan-view.ts';

const wide = { width: 120, paint: painter(false), redact: (text: string) => text };
const install: StepLine = { sign: '+', text: 'put etcd 3.6.14 into /usr/local/lib/etcd/3.6.14', why: 'not installed' };
const restart: StepLine = { sign: '!', text: 'restart etcd.service', why: 'the configuration changed' };
const write = (diff: string): StepLine => ({
  sign: '~',
  text: 'write /etc/etcd/etcd-config.yml',
  why: 'heartbeat-interval differs',
  diff,
});

async function plan(): Promise<PlanView> {
  const change = { path: '/etc/etcd/etcd-config.yml', before: 'a: 1\nb: 2\n', after: 'a: 1\nb: 3\n', redacted: false };
  const diff = await fileDiff({ host: 'etcd-1', ...change });
  return {
    verb: 'apply',
    cluster: 'prod',
    stages: [
      {
        title: 'Prepare the hosts',
        mode: 'parallel',
        hosts: [
          { host: 'etcd-1', lines: [install, write(diff)] },
          { host: 'etcd-2', lines: [install] },
          { host: 'etcd-3', lines: [install] },
        ],
      },
      { title: 'Nothing here', mode: 'parallel', hosts: [{ host: 'etcd-1', lines: [] }] },
      {
        title: 'Restart members',
        mode: 'rolling',
        hosts: [
          { host: 'etcd-2', lines: [restart] },
          { host: 'etcd-1', lines: [restart] },
        ],
      },
    ],
    warnings: ['two members tolerate no failure'],
    reasons: [{ host: 'etcd-4', reason: 'configuration matches, server certificate valid for 241 d' }],
  };
}

describe('renderPlan', () => {
  it('numbers stages, folds hosts that do the same, and shows reasons and diffs', async () => {
    expect(renderPlan(await plan(), wide)).toMatchInlineSnapshot(`
      "plan: apply prod

      1. Prepare the hosts
         3 hosts at once
         etcd-1, etcd-2, etcd-3
           + put etcd 3.6.14 into /usr/local/lib/etcd/3.6.14
               not installed
         etcd-1
           ~ write /etc/etcd/etcd-config.yml
               heartbeat-interval differs
               --- /etc/etcd/etcd-config.yml
               +++ /etc/etcd/etcd-config.yml
               @@ -1,2 +1,2 @@
                a: 1
               -b: 2
               +b: 3

      2. Restart members
         one member at a time, each proved healthy before the next
         etcd-2, then etcd-1
           ! restart etcd.service
               the configuration changed

      nothing to do:
        etcd-4: configuration matches, server certificate valid for 241 d

      warning: two members tolerate no failure

      2 stages, 6 steps on 3 hosts: 3 to add, 1 to change, 2 disruptive"
    `);
  });

  it('wraps to 40 columns without losing a word', async () => {
    const text = renderPlan(await plan(), { ...wide, width: 40 });
    expect(text).toMatchInlineSnapshot(`
      "plan: apply prod

      1. Prepare the hosts
         3 hosts at once
         etcd-1, etcd-2, etcd-3
           + put etcd 3.6.14 into
             /usr/local/lib/etcd/3.6.14
               not installed
         etcd-1
           ~ write /etc/etcd/etcd-config.yml
               heartbeat-interval differs
               --- /etc/etcd/etcd-config.yml
               +++ /etc/etcd/etcd-config.yml
               @@ -1,2 +1,2 @@
                a: 1
               -b: 2
               +b: 3

      2. Restart members
         one member at a time, each proved
         healthy before the next
         etcd-2, then etcd-1
           ! restart etcd.service
               the configuration changed

      nothing to do:
        etcd-4: configuration matches, server
          certificate valid for 241 d

      warning: two members tolerate no failure

      2 stages, 6 steps on 3 hosts: 3 to add,
      1 to change, 2 disruptive"
    `);
    const words = (each: string) => each.split(/\s+/).filter(Boolean).join(' ');
    expect(words(text)).toBe(words(renderPlan(await plan(), wide)));
  });

  it('says that nothing is to do, and why, for each host', () => {
    const reasons = ['etcd-1', 'etcd-2'].map((host) => ({ host, reason: 'configuration matches' }));
    const view = { verb: 'bootstrap', cluster: 'prod', stages: [], warnings: [], reasons };
    expect(renderPlan(view, wide)).toMatchInlineSnapshot(`
      "plan: bootstrap prod

      nothing to do:
        etcd-1: configuration matches
        etcd-2: configuration matches

      nothing to do on 2 hosts"
    `);
  });

  it('colours signs and diffs only when asked to, and otherwise the text is the same', async () => {
    const view = await plan();
    const coloured = renderPlan(view, { ...wide, paint: painter(true) });
    expect(coloured).toContain('\u001b[32m+\u001b[39m put etcd');
    expect(coloured).toContain('\u001b[31m         -b: 2\u001b[39m');
    expect(stripVTControlCharacters(coloured)).toBe(renderPlan(view, wide));
  });

  it('shows control characters in what others wrote instead of obeying them', async () => {
    const view = await plan();
    const hostile = { ...view, reasons: [{ host: 'etcd-1', reason: 'evil \u001b[2Jtext\u202e' }] };
    const text = renderPlan(hostile, wide);
    for (const hidden of ['\u001b', '\u202e']) expect(text).not.toContain(hidden);
    expect(text).toContain('evil ␛[2Jtext');
  });
});

describe('fileDiff', () => {
  const change = { host: 'etcd-1', path: '/etc/x', before: undefined, after: 'new\n', redacted: false };

  it('shows a new file and a removed one against /dev/null', async () => {
    expect(await fileDiff(change)).toBe('--- /dev/null\n+++ /etc/x\n@@ -0,0 +1,1 @@\n+new');
    expect(await fileDiff({ ...change, before: 'old\n', after: undefined })).toContain('+++ /dev/null');
  });

  it('is empty for equal contents and tells nothing of a secret', async () => {
    expect(await fileDiff({ ...change, before: 'new\n' })).toBe('');
    expect(await fileDiff({ ...change, redacted: true })).toBe('(contents of /etc/x not shown: secret)');
  });
});

describe('fold', () => {
  const letters = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { maxLength: 8 });
  const same = (a: string, b: string) => a === b;

  it.each([foldInOrder, foldInTurn])('keeps all lines of each host in their order: %o', (fold) => {
    fc.assert(
      fc.property(fc.array(letters, { minLength: 1, maxLength: 5 }), (all) => {
        const hosts = all.map((lines, index) => ({ host: `h${index}`, lines }));
        const groups = fold(hosts, same);
        for (const { host, lines } of hosts) {
          expect(groups.filter((group) => group.hosts.includes(host)).flatMap((group) => group.lines)).toEqual(lines);
        }
      }),
    );
  });

  it('prints a common line once although hosts differ before and after it', () => {
    const hosts = [
      { host: 'h1', lines: ['a', 'x', 'c'] },
      { host: 'h2', lines: ['x', 'c'] },
      { host: 'h3', lines: ['b', 'x'] },
    ];
    expect(foldInOrder(hosts, same)).toEqual([
      { hosts: ['h1'], lines: ['a'] },
      { hosts: ['h3'], lines: ['b'] },
      { hosts: ['h1', 'h2', 'h3'], lines: ['x'] },
      { hosts: ['h1', 'h2'], lines: ['c'] },
    ]);
  });

  it('does not fold turns that are not neighbours', () => {
    const hosts = ['a', 'b', 'a'].map((line, index) => ({ host: `h${index}`, lines: [line] }));
    expect(foldInTurn(hosts, same)).toHaveLength(3);
  });
});
