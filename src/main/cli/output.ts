/**
 * What a command says. The result goes to standard output, as one JSON object with `--json` and in
 * words without; messages and progress go to standard error, so that scripts can read the result.
 */
export interface Output {
  readonly json: boolean;
  /** Prints the command's one result. */
  readonly result: (value: unknown, inWords: () => string) => void;
  /** A line for the person who waits. */
  readonly message: (text: string) => void;
  /** The state of something that takes long; replaced by the next on a terminal. */
  readonly progress: (text: string) => void;
}

const millisecondsBetweenLines = 2000;

export function openOutput(json: boolean): Output {
  const terminal = process.stderr.isTTY;
  let shown = "";
  let lastLine = -Infinity;
  const clear = (): void => {
    if (shown !== "") process.stderr.write(`\r${" ".repeat(shown.length)}\r`);
    shown = "";
  };
  return {
    json,
    result: (value, inWords) => {
      clear();
      process.stdout.write(`${json ? JSON.stringify(value) : inWords()}\n`);
    },
    message: (text) => {
      clear();
      process.stderr.write(`${text}\n`);
    },
    progress: (text) => {
      if (terminal) {
        clear();
        shown = text.slice(0, (process.stderr.columns || 80) - 1);
        process.stderr.write(shown);
        return;
      }
      if (performance.now() - lastLine < millisecondsBetweenLines) return;
      lastLine = performance.now();
      process.stderr.write(`${text}\n`);
    },
  };
}

/** Lines of aligned columns; numbers align to the right. */
export function table(rows: readonly (readonly (string | number)[])[]): string {
  const text = rows.map((row) => row.map(String));
  const columns = Math.max(0, ...text.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...text.map((row) => row[column]?.length ?? 0)),
  );
  return text
    .map((row, index) =>
      row
        .map((cell, column) => {
          const numeric = typeof rows[index]?.[column] === "number";
          return numeric ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0);
        })
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
