import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  Virtualizer,
  type VirtualItem,
} from "@tanstack/virtual-core";

export interface VirtualRowsOptions {
  readonly element: () => HTMLElement | null;
  readonly count: () => number;
  readonly rowPixels: number;
}

export interface VirtualRows {
  readonly items: readonly VirtualItem[];
  readonly heightPixels: number;
  /** Rows that fit into view. */
  readonly pageRows: number;
  scrollTo(index: number): void;
}

/** Which rows of a long list stand in the document. Call it while a component is being set up. */
export function createVirtualRows(options: VirtualRowsOptions): VirtualRows {
  let items = $state.raw<readonly VirtualItem[]>([]);
  let heightPixels = $state(0);
  let virtualizer: Virtualizer<HTMLElement, HTMLElement> | null = null;

  function read(source: Virtualizer<HTMLElement, HTMLElement>): void {
    items = source.getVirtualItems();
    heightPixels = source.getTotalSize();
  }

  function settings(
    count: number,
  ): ConstructorParameters<typeof Virtualizer<HTMLElement, HTMLElement>>[0] {
    return {
      count,
      getScrollElement: options.element,
      estimateSize: () => options.rowPixels,
      overscan: 4,
      scrollToFn: elementScroll,
      observeElementRect,
      observeElementOffset,
      onChange: read,
    };
  }

  $effect(() => {
    if (options.element() === null) return;
    const created = new Virtualizer<HTMLElement, HTMLElement>(settings(0));
    virtualizer = created;
    const stop = created._didMount();
    return () => {
      stop();
      virtualizer = null;
    };
  });

  $effect(() => {
    const count = options.count();
    if (options.element() === null || virtualizer === null) return;
    virtualizer.setOptions(settings(count));
    virtualizer._willUpdate();
    read(virtualizer);
  });

  return {
    get items() {
      return items;
    },
    get heightPixels() {
      return heightPixels;
    },
    get pageRows() {
      const height = options.element()?.clientHeight ?? 0;
      return Math.max(1, Math.floor(height / options.rowPixels) - 1);
    },
    scrollTo(index) {
      virtualizer?.scrollToIndex(index, { align: "auto" });
    },
  };
}
