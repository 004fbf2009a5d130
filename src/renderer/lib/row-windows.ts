/** One answer of a paged query: all that match, and the rows from the offset asked for. */
export interface Page<Row> {
  readonly total: number;
  readonly rows: readonly Row[];
}

/** Indexes of the windows that hold rows first to last, and the neighbours a scroll reaches next. */
export function windowsToLoad(
  first: number,
  last: number,
  size: number,
  total: number | null,
  ahead = 1,
): number[] {
  if (last < first || size < 1) return [];
  const lastWindow = total === null ? Infinity : Math.max(0, Math.ceil(total / size) - 1);
  const from = Math.max(0, Math.floor(first / size) - ahead);
  const to = Math.min(lastWindow, Math.floor(last / size) + ahead);
  // What is visible comes first; the neighbours can wait.
  const visible = (index: number) =>
    index >= Math.floor(first / size) && index <= Math.floor(last / size) ? 0 : 1;
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, step) => from + step).sort(
    (one, other) => visible(one) - visible(other) || one - other,
  );
}

export interface RowWindowsOptions<Row> {
  readonly fetch: (offset: number, limit: number) => Promise<Page<Row>>;
  readonly onChange: () => void;
  readonly onFailure: (thrown: unknown) => void;
  readonly size?: number;
  /** Windows kept in memory; the least recently used go first. */
  readonly keep?: number;
}

/** Windows of a long, sorted, filtered list, fetched as they come into view. */
export interface RowWindows<Row> {
  /** Null until the first window has come. */
  readonly total: number | null;
  /** The row at an index, or undefined while its window is on its way. */
  at(index: number): Row | undefined;
  /** Starts fetching what is missing around the rows that are in view. */
  show(first: number, last: number): void;
  /** The row at an index, fetched if need be; undefined past the end. */
  load(index: number): Promise<Row | undefined>;
  /**
   * Fetches again what is shown next, after the list has changed. Old rows stay until the new ones
   * are here, so that nothing flickers.
   */
  refresh(): void;
  /** Exchanges one row in place, after it was changed. */
  replace(index: number, row: Row): void;
  /** Stops telling about answers that are still on their way. */
  close(): void;
}

/** One is read while the other is on its way. */
const fetchesAtOnce = 2;

export function createRowWindows<Row>(options: RowWindowsOptions<Row>): RowWindows<Row> {
  const size = options.size ?? 100;
  const keep = options.keep ?? 24;
  const windows = new Map<number, readonly Row[]>();
  const pending = new Map<number, Promise<void>>();
  const stale = new Set<number>();
  /** What the newest view lacks, the most urgent first. */
  let wanted: readonly number[] = [];
  let total: number | null = null;
  let closed = false;

  function fetchWindow(index: number): Promise<void> {
    const underWay = pending.get(index);
    if (underWay !== undefined) return underWay;
    const promise = options
      .fetch(index * size, size)
      .then((page) => {
        if (closed) return;
        total = page.total;
        windows.set(index, page.rows);
        stale.delete(index);
        for (const oldest of windows.keys()) {
          if (windows.size <= keep) break;
          windows.delete(oldest);
        }
        options.onChange();
      })
      .catch((thrown: unknown) => {
        if (!closed) options.onFailure(thrown);
      })
      .finally(() => {
        pending.delete(index);
        fetchWanted();
      });
    pending.set(index, promise);
    return promise;
  }

  /** What a fast scroll has passed by is not fetched any more, so that it holds nothing up. */
  function fetchWanted(): void {
    while (!closed && pending.size < fetchesAtOnce) {
      const [next, ...rest] = wanted;
      if (next === undefined) return;
      wanted = rest;
      void fetchWindow(next);
    }
  }

  function touch(index: number): readonly Row[] | undefined {
    const rows = windows.get(index);
    if (rows !== undefined) {
      windows.delete(index);
      windows.set(index, rows);
    }
    return rows;
  }

  return {
    get total() {
      return total;
    },
    at(index) {
      return windows.get(Math.floor(index / size))?.[index % size];
    },
    show(first, last) {
      wanted = windowsToLoad(first, last, size, total).filter(
        (index) => (touch(index) === undefined || stale.has(index)) && !pending.has(index),
      );
      fetchWanted();
    },
    async load(index) {
      if (index < 0) return undefined;
      const window = Math.floor(index / size);
      if (touch(window) === undefined) await fetchWindow(window);
      return windows.get(window)?.[index % size];
    },
    refresh() {
      for (const index of windows.keys()) stale.add(index);
    },
    replace(index, row) {
      const window = Math.floor(index / size);
      const rows = windows.get(window);
      if (rows === undefined) return;
      windows.set(
        window,
        rows.map((old, place) => (place === index % size ? row : old)),
      );
      options.onChange();
    },
    close() {
      closed = true;
    },
  };
}
