/** Text to YAML document: everything that is wrong with it as YAML, and the traps of other YAML versions. */
import {
  type Alias,
  type Document,
  isScalar,
  LineCounter,
  parseDocument,
  type Scalar,
  visit,
  type YAMLError,
} from 'yaml';
import { type Complaint, type Locate, quote } from './complaint.ts';
import { findDeepNesting } from './nesting.ts';
import { pairAt, pathOf } from './place.ts';

export interface ParsedText {
  readonly document: Document;
  readonly complaints: readonly Complaint[];
  /** The text is so broken that its content means nothing. */
  readonly broken: boolean;
  readonly locate: Locate;
}

/** An inventory of a thousand hosts has half of this. */
const MOST_CHARACTERS = 1024 * 1024;

/** Reads one YAML 1.2 document. Never throws. */
export function parseText(text: string): ParsedText {
  const counter = new LineCounter();
  const unreadable = findUnreadable(text);
  const document = parseDocument(unreadable === undefined ? text : '', {
    lineCounter: counter,
    merge: true,
    prettyErrors: false,
    stringKeys: true,
    version: '1.2',
  });
  if (unreadable !== undefined) {
    return { document, complaints: [unreadable], broken: true, locate: (offset) => countLines(text, offset) };
  }
  const errors = document.errors.map((error) => explain(document, error, { text, counter }));
  const broken = document.errors.some((error) => error.code !== 'DUPLICATE_KEY');
  const aliases = broken ? [] : findAliasFlaws(document);
  const complaints = broken ? errors : [...errors, ...aliases, ...findTraps(document)];
  const empty = document.contents === null || (isScalar(document.contents) && document.contents.value === null);
  if (!broken && empty)
    complaints.push(at(0, 'is empty (write one: quorate init makes it, inventories/example.yml explains it)'));
  return {
    document,
    complaints,
    broken: broken || empty || aliases.length > 0,
    locate: (offset) => counter.linePos(offset),
  };
}

/** What must not reach the parser at all. */
function findUnreadable(text: string): Complaint | undefined {
  if (text.length > MOST_CHARACTERS) {
    return at(0, `has ${text.length} characters (an inventory has at most ${MOST_CHARACTERS})`);
  }
  const control = /[^\P{Cc}\t\n\r\u0085]|[\p{Cs}\ufffe\uffff]/u.exec(text);
  if (control !== null) return at(control.index, `${quote(control[0])} is a control character (delete it)`);
  const deep = findDeepNesting(text);
  return deep === undefined ? undefined : at(deep, 'is nested too deeply (an inventory needs no more than six levels)');
}

function countLines(text: string, offset: number): { line: number; col: number } {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, col: offset - before.lastIndexOf('\n') };
}

function explain(document: Document, error: YAMLError, { text, counter }: Source): Complaint {
  const [offset] = error.pos;
  const pair = pairAt(document, offset);
  const path = pair?.path ?? [];
  switch (error.code) {
    case 'DUPLICATE_KEY': {
      const { line } = counter.linePos(pair?.firstOffset ?? offset);
      return { path, offset, message: `is written twice, first in line ${line} (keep one of the two)` };
    }
    case 'TAB_AS_INDENT':
      return { path, offset, message: 'is indented by a tab (indent by spaces)' };
    case 'MULTIPLE_DOCS':
      return at(offset, 'begins a second document (write one cluster a file, without ---)');
    case 'NON_STRING_KEY':
      return at(offset, 'is no key (write plain text before the colon)');
    default: {
      const variable = lineAt(text, offset).includes('${')
        ? '; put a value with a variable in quotes between { } or [ ]'
        : '';
      return { path, offset, message: `${lowerFirst(error.message)} (correct the YAML${variable})` };
    }
  }
}

interface Source {
  readonly text: string;
  readonly counter: LineCounter;
}

function lineAt(text: string, offset: number): string {
  return text.slice(text.lastIndexOf('\n', offset - 1) + 1).split('\n', 1)[0] ?? '';
}

function lowerFirst(sentence: string): string {
  return `${sentence.slice(0, 1).toLowerCase()}${sentence.slice(1)}`;
}

/** What is valid YAML, and means something else than it seems, or nothing. */
function findTraps(document: Document): Complaint[] {
  const complaints: Complaint[] = document.warnings.map((warning) =>
    at(warning.pos[0], `${lowerFirst(warning.message)} (write the value without a tag)`),
  );
  if (document.directives?.yaml.explicit === true && document.directives.yaml.version !== '1.2') {
    complaints.push(at(0, 'asks for another YAML than 1.2 (delete the %YAML line)'));
  }
  visit(document, {
    Scalar: (key, node, ancestors) => {
      const message = key === 'key' ? undefined : ambiguity(node);
      if (message !== undefined)
        complaints.push({ path: pathOf(ancestors, node), offset: node.range?.[0] ?? 0, message });
    },
  });
  return complaints;
}

/** Aliases that cannot be followed. */
function findAliasFlaws(document: Document): Complaint[] {
  const complaints: Complaint[] = [];
  visit(document, {
    Alias: (_, node, ancestors) => {
      const message = aliasFlaw(document, node, ancestors);
      if (message !== undefined)
        complaints.push({ path: pathOf(ancestors, node), offset: node.range?.[0] ?? 0, message });
    },
  });
  return complaints;
}

/** Numbers that YAML 1.1 (Ansible, Go) and YAML 1.2 read differently, or that people do. */
function ambiguity(node: Scalar): string | undefined {
  const source = node.source ?? '';
  if (node.type !== 'PLAIN' || typeof node.value !== 'number') return undefined;
  if (/^[-+]?(0|[1-9]\d*)(\.\d+)?$/.test(source)) return undefined;
  const octal = /^0[0-7]+$/.test(source) ? `, and ${Number.parseInt(source, 8)} to YAML 1.1` : '';
  return `${source} is ${node.value} to YAML 1.2${octal} (write ${node.value}, or "${source}" for text)`;
}

function aliasFlaw(document: Document, node: Alias, ancestors: readonly unknown[]): string | undefined {
  const target = node.resolve(document);
  if (target === undefined)
    return `*${node.source} has no anchor before it (write &${node.source} at the value it means)`;
  return ancestors.includes(target) ? `*${node.source} contains itself (write the value)` : undefined;
}

function at(offset: number, message: string): Complaint {
  return { path: [], offset, message };
}
