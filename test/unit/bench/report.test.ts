import { describe, expect, it } from 'vitest';
import { spreadOf } from '../../bench/measure.ts';
import { contestSection, crowdSection, document, issuingSection, verdictTable } from '../../bench/report.ts';

const about = { date: '2026-01-02', machine: 'one', load: '0.1, 2.0', rounds: 'contest 7', versions: 'etcd 3.6.16' };

describe('the report', () => {
  it('says of every limit whether it holds', () => {
    const rows = verdictTable([
      { what: 'a', limit: '≤ 1', measured: '1', holds: true },
      { what: 'b is longer', limit: '≤ 2', measured: '3', holds: false },
    ]).split('\n');
    expect(rows[2]).toMatch(/^\| a {11}\| ≤ 1 +\| 1 +\| holds +\|$/);
    expect(rows[3]).toMatch(/^\| b is longer \| ≤ 2 +\| 3 +\| \*\*missed\*\* \|$/);
    expect(new Set(rows.map((row) => row.length)).size).toBe(1);
  });

  it('shows medians, smallest and largest, in the unit that reads best', () => {
    const again = { quorate: spreadOf([400, 500.4, 999.4]), ansible: spreadOf([1000]), pyinfra: spreadOf([2500]) };
    const text = contestSection({ deploy: { ...again, floor: spreadOf([1]) }, again });
    expect(text).toMatch(/\| quorate +\| 500 ms +\| 400 ms +\| 999 ms +\|/);
    expect(text).toMatch(/\| pyinfra +\| 2\.50 s +\| 2\.50 s +\| 2\.50 s +\|/);
  });

  it('names the hosts of every point, and pyinfra over as many as the last', () => {
    const point = (hosts: number) => ({
      hosts,
      plan: spreadOf([hosts * 50]),
      peakBytes: spreadOf([hosts * 1024 * 1024]),
    });
    const text = crowdSection({ curve: [point(3), point(100)], pyinfra: spreadOf([60_000]) });
    expect(text).toMatch(/\| 100 +\| 5\.00 s +\| 5\.00 s +\| 5\.00 s +\| 100 MiB/);
    expect(text).toContain('pyinfra over the same 100 addresses with nothing to do: 60.00 s (60.00 s to 60.00 s).');
  });

  it('shows certificates a second', () => {
    const rates = { quorate: spreadOf([812.4]), bare: spreadOf([5]), shell: spreadOf([41.26]) };
    const text = issuingSection({
      rates: [{ algorithm: 'rsa-2048', cores: 2, rates }],
      peakBytes: spreadOf([2 ** 27]),
    });
    expect(text).toMatch(/\| rsa-2048 \| 2 +\| quorate \| 812 /);
    expect(text).toMatch(/\| shell +\| 41\.3 /);
    expect(text).toContain('one go: 128 MiB.');
  });

  it('is one page: circumstances, limits, sections in their order', () => {
    const page = document(about, [{ what: 'x', limit: '≤ 1', measured: '0', holds: true }], ['## A\n', '## B\n']);
    expect(page.indexOf('| date | 2026-01-02 |')).toBeLessThan(page.indexOf('## Limits'));
    expect(page.indexOf('| x ')).toBeLessThan(page.indexOf('## A'));
    expect(page.endsWith('## A\n\n## B\n')).toBe(true);
  });
});
