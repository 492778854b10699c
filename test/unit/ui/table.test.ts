import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { painter } from '../../../src/ui/paint.ts';
import { renderTable, type Table } from '../../../src/ui/table.ts';

const paint = painter(false);
const table: Table = {
  columns: [
    { title: 'MEMBER' },
    { title: 'ROLE' },
    { title: 'VERSION', optional: true },
    { title: 'DB SIZE', align: 'right', optional: true },
    { title: 'STATE' },
  ],
  rows: [
    ['etcd-1', 'leader', '3.6.14', '25 MB', { text: 'healthy', level: 'good' }],
    ['etcd-2', 'voter', '3.6.14', '1.5 GB', { text: 'unreachable', level: 'bad' }],
  ],
};

describe('renderTable', () => {
  it('aligns columns, numbers to the right, without blanks at the end', () => {
    expect(renderTable(table, { width: 120, paint })).toBe(
      [
        'MEMBER  ROLE    VERSION  DB SIZE  STATE',
        'etcd-1  leader  3.6.14     25 MB  healthy',
        'etcd-2  voter   3.6.14    1.5 GB  unreachable',
      ].join('\n'),
    );
  });

  it('leaves out optional columns from the right where it is narrow, and says which', () => {
    expect(renderTable(table, { width: 40, paint })).toBe(
      [
        'MEMBER  ROLE    VERSION  STATE',
        'etcd-1  leader  3.6.14   healthy',
        'etcd-2  voter   3.6.14   unreachable',
        '(not shown: DB SIZE)',
      ].join('\n'),
    );
  });

  it('makes a block of each row where even that does not fit', () => {
    expect(renderTable(table, { width: 20, paint })).toBe(
      [
        'MEMBER   etcd-1',
        'ROLE     leader',
        'VERSION  3.6.14',
        'DB SIZE  25 MB',
        'STATE    healthy',
        '',
        'MEMBER   etcd-2',
        'ROLE     voter',
        'VERSION  3.6.14',
        'DB SIZE  1.5 GB',
        'STATE    unreachable',
      ].join('\n'),
    );
  });

  it('never exceeds the width while it is a table', () => {
    fc.assert(
      fc.property(fc.integer({ min: 28, max: 130 }), (width) => {
        for (const line of renderTable(table, { width, paint }).split('\n'))
          expect(line.length).toBeLessThanOrEqual(width);
      }),
    );
  });

  it('colours cells by level without moving the columns', () => {
    const text = renderTable(table, { width: 120, paint: painter(true) });
    expect(text).toContain('25 MB  \u001b[32mhealthy\u001b[39m');
  });

  it('prints the header alone where there are no rows, and hostile cells on one line', () => {
    expect(renderTable({ ...table, rows: [] }, { width: 120, paint })).toBe('MEMBER  ROLE  VERSION  DB SIZE  STATE');
    const hostile = renderTable({ columns: [{ title: 'A' }], rows: [['x\ny\u001b[2J']] }, { width: 120, paint });
    expect(hostile).toBe('A\nx y␛[2J');
  });
});
