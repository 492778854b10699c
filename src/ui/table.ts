/** Aligned tables that fit the terminal: less important columns go first, and what still does not fit becomes one block a row. */
import type { Paint, Style } from './paint.ts';
import { clean, cut } from './text.ts';

interface Column {
  readonly title: string;
  /** Numbers stand to the right. */
  readonly align?: 'left' | 'right' | undefined;
  /** May be left out of a narrow terminal; of several the last goes first. */
  readonly optional?: boolean | undefined;
}

/** A cell's text, and how it is to be taken. */
export type Cell = string | { readonly text: string; readonly level: 'good' | 'warn' | 'bad' | 'faint' };

export interface Table {
  readonly columns: readonly Column[];
  /** One cell a column, in the order of the columns. */
  readonly rows: readonly (readonly Cell[])[];
}

export interface TableLook {
  readonly width: number;
  readonly paint: Paint;
}

const GAP = '  ';

/** The table as text without a final line feed; a header alone where there are no rows. */
export function renderTable(table: Table, look: TableLook): string {
  const hidden = columnsToHide(table, look.width);
  const shown = table.columns.map((_, index) => index).filter((index) => !hidden.includes(index));
  if (widthOf(table, shown) > look.width) return renderBlocks(table, look);
  const widths = shown.map((index) => columnWidth(table, index));
  const line = (cells: readonly string[]) => cells.join(GAP).trimEnd();
  const titles = shown.map((index, position) =>
    pad(titleOf(table, index), alignOf(table, index), widths[position] ?? 0),
  );
  const rows = table.rows.map((row) =>
    line(
      shown.map((index, position) =>
        paintCell(row[index] ?? '', look.paint, (text) => pad(text, alignOf(table, index), widths[position] ?? 0)),
      ),
    ),
  );
  const note = hidden.map((index) => titleOf(table, index)).join(', ');
  return [
    look.paint('head', line(titles)),
    ...rows,
    ...(note === '' ? [] : [look.paint('faint', cut(`(not shown: ${note})`, look.width))]),
  ].join('\n');
}

function columnsToHide(table: Table, width: number): number[] {
  const all = table.columns.map((_, index) => index);
  const droppable = all.filter((index) => table.columns[index]?.optional === true).toReversed();
  const hidden: number[] = [];
  while (
    widthOf(
      table,
      all.filter((index) => !hidden.includes(index)),
    ) > width
  ) {
    const next = droppable.shift();
    if (next === undefined) return [];
    hidden.push(next);
  }
  return hidden.toSorted((a, b) => a - b);
}

/** `title  value` lines, a blank line between rows; values keep their full length. */
function renderBlocks(table: Table, look: TableLook): string {
  const width = Math.max(...table.columns.map((column) => column.title.length));
  const blocks = table.rows.map((row) =>
    table.columns
      .map((column, index) => ({ title: column.title, cell: row[index] ?? '' }))
      .filter(({ cell }) => textOf(cell) !== '')
      .map(
        ({ title, cell }) =>
          `${look.paint('head', title.padEnd(width))}${GAP}${paintCell(cell, look.paint, (text) => text)}`,
      )
      .join('\n'),
  );
  return blocks.join('\n\n');
}

function widthOf(table: Table, indexes: readonly number[]): number {
  return indexes.reduce((sum, index) => sum + columnWidth(table, index), GAP.length * Math.max(0, indexes.length - 1));
}

function columnWidth(table: Table, index: number): number {
  return Math.max(titleOf(table, index).length, ...table.rows.map((row) => [...textOf(row[index] ?? '')].length));
}

function paintCell(cell: Cell, paint: Paint, shape: (text: string) => string): string {
  const text = shape(textOf(cell));
  if (typeof cell === 'string') return text;
  const style: Style = cell.level;
  const bare = text.trim();
  return text.replace(bare, () => paint(style, bare));
}

function pad(text: string, align: 'left' | 'right', width: number): string {
  const blanks = ' '.repeat(Math.max(0, width - [...text].length));
  return align === 'right' ? blanks + text : text + blanks;
}

function textOf(cell: Cell): string {
  return clean(typeof cell === 'string' ? cell : cell.text).replaceAll('\n', ' ');
}

function titleOf(table: Table, index: number): string {
  return table.columns[index]?.title ?? '';
}

function alignOf(table: Table, index: number): 'left' | 'right' {
  return table.columns[index]?.align ?? 'left';
}
