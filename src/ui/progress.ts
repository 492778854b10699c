/**
 * Draws a block of a heading and rows that change in place: the only place that knows listr2 (9.x), and listr2 does nothing but draw. Its
 * signal handler, which ends the process, stays off; it writes to the given stream only; a failed row keeps its text.
 */
import type { WriteStream } from 'node:tty';
import {
  DefaultRenderer,
  ListrDefaultRendererLogLevels as Level,
  Listr,
  ListrLogger,
  ListrTaskState,
  ProcessOutput,
} from 'listr2';
import type { Paint, Style } from './paint.ts';
import { wrap } from './text.ts';

/** How many notes of a block stay in sight. */
const NOTES = 8;

export interface BlockOptions {
  readonly rows: number;
  /** A terminal. Whatever else is written to it is held back while the block is drawn. */
  readonly stream: WriteStream;
  readonly paint: Paint;
  readonly width: number;
}

/** Texts are single lines without colours. They may change at any time, also before the block is drawn. */
export interface Block {
  setHeading(text: string): void;
  setRow(index: number, text: string): void;
  /** The row stays as it is from now on, as good or as failed. */
  endRow(index: number, failed: boolean): void;
  /** A line below the block. */
  note(text: string): void;
  /** Every row must have ended. */
  end(): void;
  /** Draws from now until the block has ended; rows are left out then, unless one failed. */
  draw(): Promise<void>;
  /** Ends the drawing within this call, with the cursor shown. */
  abort(): void;
}

export function createBlock(options: BlockOptions): Block {
  const parts: Parts = {
    heading: createLine(),
    rows: Array.from({ length: options.rows }, createLine),
    notes: createNotes(),
  };
  const drawing: Drawing = { failHeading: () => {}, endRenderer: () => {} };
  return {
    setHeading: (text) => parts.heading.set(text),
    setRow: (index, text) => parts.rows[index]?.set(text),
    endRow: (index, failed) => parts.rows[index]?.end(failed),
    note: (text) => parts.notes.add(text),
    end: () => parts.notes.end(),
    // The list is not made earlier: it remembers how the stream writes, and another block may still hold that back.
    draw: async () => {
      await createList(parts, drawing, options).run();
    },
    abort: () => {
      drawing.failHeading();
      drawing.endRenderer();
    },
  };
}

interface Parts {
  readonly heading: ReturnType<typeof createLine>;
  readonly rows: readonly ReturnType<typeof createLine>[];
  readonly notes: ReturnType<typeof createNotes>;
}

/** What can be done to a list of listr2 from outside, once it is drawn. */
interface Drawing {
  failHeading: () => void;
  endRenderer: () => void;
}

function createList(parts: Parts, drawing: Drawing, options: BlockOptions) {
  const rows = parts.rows.map((row) => ({
    title: ' ',
    task: async (_: unknown, task: Titled) => {
      row.show(task);
      if (await row.ended) throw new Error('failed');
    },
  }));
  // A task without a title writes below the block, and this one keeps the heading open until the end.
  const notes = {
    task: (_: unknown, task: Noted) => parts.notes.show(task),
    rendererOptions: { bottomBar: NOTES, persistentOutput: true },
  };
  const renderer = rendererFor(options.width, (created) => {
    drawing.endRenderer = () => created.end();
  });
  return new Listr(
    {
      title: ' ',
      task: (_, wrapper) => {
        parts.heading.show(wrapper);
        drawing.failHeading = () => {
          wrapper.task.state$ = ListrTaskState.FAILED;
        };
        return wrapper.newListr([...rows, notes], { concurrent: true, exitOnError: false });
      },
    },
    { renderer, rendererOptions: lookOf(options), registerSignalListeners: false, exitOnError: false },
  );
}

interface Titled {
  title: string;
}

interface Noted {
  output: string;
}

/** A text that may be set before listr2 has a task for it, and an end that is decided outside of listr2. */
function createLine() {
  let text = ' ';
  let shown: Titled | undefined;
  let end: (failed: boolean) => void = () => {};
  const ended = new Promise<boolean>((resolve) => {
    end = resolve;
  });
  return {
    ended,
    end,
    set: (changed: string) => {
      text = changed;
      if (shown !== undefined) shown.title = text;
    },
    show: (task: Titled) => {
      shown = task;
      shown.title = text;
    },
  };
}

/** Lines that are kept until listr2 has a task for them. */
function createNotes() {
  const early: string[] = [];
  let write = (text: string) => {
    early.push(text);
  };
  let end: () => void = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return {
    end: () => end(),
    add: (text: string) => write(text),
    show: (task: Noted) => {
      write = (text) => {
        task.output = text;
      };
      for (const text of early) write(text);
      return ended;
    },
  };
}

/** listr2's renderer, told where to draw by us: it would look at stdout for both the terminal and its width. */
function rendererFor(width: number, onCreate: (renderer: DefaultRenderer) => void) {
  return class extends DefaultRenderer {
    static override nonTTY = true;
    #state: 'new' | 'drawing' | 'ended' = 'new';

    constructor(...parameters: ConstructorParameters<typeof DefaultRenderer>) {
      super(...parameters);
      onCreate(this);
    }

    override async render() {
      await super.render();
      if (this.#state === 'ended') super.end();
      else this.#state = 'drawing';
    }

    override update() {
      if (this.#state === 'drawing') super.update();
    }

    override end() {
      const drawing = this.#state === 'drawing';
      this.#state = 'ended';
      if (drawing) super.end();
    }

    protected override format(message: string, icon: string, level: number) {
      const [first = '', ...rest] = wrap(message, width - 1, ' '.repeat(level * 2 + 2));
      return [`${' '.repeat(level * 2)}${icon} ${first.trimStart()}`, ...rest];
    }
  };
}

function lookOf({ stream, paint }: BlockOptions) {
  const style = (name: Style) => (text?: string) => paint(name, text ?? '');
  const processOutput = new ProcessOutput(stream, stream, { leaveEmptyLine: false });
  return {
    logger: new ListrLogger<Level>({ useIcons: true, toStderr: [], processOutput }),
    showErrorMessage: false,
    icon: {
      [Level.COMPLETED_WITH_FAILED_SUBTASKS]: '✖',
      [Level.FAILED_WITH_FAILED_SUBTASKS]: '✖',
      [Level.OUTPUT_WITH_BOTTOMBAR]: '›',
    },
    color: {
      [Level.PENDING]: style('warn'),
      [Level.COMPLETED]: style('good'),
      [Level.COMPLETED_WITH_FAILED_SUBTASKS]: style('bad'),
      [Level.FAILED]: style('bad'),
      [Level.FAILED_WITH_FAILED_SUBTASKS]: style('bad'),
    },
  };
}
