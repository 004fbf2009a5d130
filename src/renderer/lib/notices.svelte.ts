import { failureOf } from "./bridge.ts";

export interface NoticeAction {
  readonly label: string;
  readonly run: () => void;
}

export interface Notice {
  readonly id: number;
  readonly tone: "note" | "problem";
  readonly title: string;
  /** What happened to what, and what to do. */
  readonly message: string;
  readonly actions: readonly NoticeAction[];
}

let notices = $state.raw<readonly Notice[]>([]);
let nextId = 1;

/** A note leaves by itself; a problem stays until it is dismissed, since it asks for something. */
const noteMilliseconds = 8000;

export function currentNotices(): readonly Notice[] {
  return notices;
}

export function dismiss(id: number): void {
  notices = notices.filter((notice) => notice.id !== id);
}

function show(notice: Omit<Notice, "id">): void {
  const id = nextId++;
  // The same words twice help nobody: the newer one takes the older one's place.
  const others = notices.filter(
    (other) => other.title !== notice.title || other.message !== notice.message,
  );
  notices = [...others, { ...notice, id }].slice(-4);
  if (notice.tone === "note") {
    const longer = notice.actions.length > 0 ? 2 : 1;
    setTimeout(() => dismiss(id), noteMilliseconds * longer);
  }
}

export function note(title: string, message = "", actions: readonly NoticeAction[] = []): void {
  show({ tone: "note", title, message, actions });
}

export function problem(
  title: string,
  message: string,
  actions: readonly NoticeAction[] = [],
): void {
  show({ tone: "problem", title, message, actions });
}

/** Reports a failed call; `retry` becomes a button. */
export function reportFailure(title: string, thrown: unknown, retry?: () => void): void {
  const actions = retry === undefined ? [] : [{ label: "Try again", run: retry }];
  problem(title, failureOf(thrown).message, actions);
}
