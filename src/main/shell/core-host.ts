import { messageOf } from "../../shared/errors.ts";
import type { CoreToShell, ErrorDescription, ShellToCore } from "../../shared/messages.ts";
import type { CoreChannel, CoreExit } from "./core-channel.ts";

/** An error that the core reported, or that stands for a core that went away. */
export class CoreError extends Error {
  readonly kind: string;

  constructor(error: ErrorDescription) {
    super(error.message);
    this.name = error.name;
    this.kind = error.kind;
  }
}

export interface Pixels {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface CoreHostOptions {
  readonly start: () => CoreChannel;
  readonly onEvent: (event: string, payload: unknown) => void;
  /** The core had died, and a new one serves calls. */
  readonly onRestarted: (message: string) => void;
  /** The core is gone for good. */
  readonly onFailed: (message: string) => void;
  readonly timing?: Partial<CoreTiming>;
}

export interface CoreTiming {
  /** The wait before the first restart; each further one in a row waits twice as long. */
  readonly restartMilliseconds: number;
  /** A core that served this long counts as healthy again. */
  readonly healthyMilliseconds: number;
  /** How long a core may take to finish when it is asked to stop. */
  readonly stopMilliseconds: number;
}

const defaultTiming: CoreTiming = {
  restartMilliseconds: 250,
  healthyMilliseconds: 60_000,
  stopMilliseconds: 8_000,
};

/** So many deaths in a row mean that another start would not help. */
const mostRestartsInARow = 5;

type State = "starting" | "serving" | "down" | "failed" | "stopping";

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: CoreError) => void;
}

/**
 * Keeps one core process alive and carries calls to it. A call that was under way when the core
 * died is rejected, because nobody knows how far it came; a call made while no core serves waits
 * for the next one.
 */
export class CoreHost {
  readonly #options: CoreHostOptions;
  readonly #timing: CoreTiming;
  readonly #waiting = new Map<number, Waiting>();
  #outbox: ShellToCore[] = [];
  #channel: CoreChannel | null = null;
  #state: State = "starting";
  #failure = "";
  #nextId = 1;
  #deathsInARow = 0;
  #restartTimer: NodeJS.Timeout | undefined;
  #healthyTimer: NodeJS.Timeout | undefined;
  #onStopped: (() => void) | null = null;

  constructor(options: CoreHostOptions) {
    this.#options = options;
    this.#timing = { ...defaultTiming, ...options.timing };
    this.#start();
  }

  /**
   * Calls a procedure of the contract.
   *
   * @throws CoreError with the core's own description of what went wrong.
   */
  call(procedure: string, input: unknown): Promise<unknown> {
    return this.#request((id) => ({ kind: "call", id, procedure, input }));
  }

  /** Fetches what stands behind `film/42` and the like. */
  async pixels(path: string): Promise<Pixels> {
    return (await this.#request((id) => ({ kind: "pixels", id, path }))) as Pixels;
  }

  /** Lets the core finish, and ends it where it does not. */
  async stop(): Promise<void> {
    clearTimeout(this.#restartTimer);
    const channel = this.#channel;
    const stopped = this.#state === "failed" || channel === null;
    this.#state = "stopping";
    if (!stopped) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => {
          channel.kill();
        }, this.#timing.stopMilliseconds);
        this.#onStopped = () => {
          clearTimeout(timer);
          resolve();
        };
        channel.post({ kind: "stop" });
      });
    }
    this.#rejectAll("Silhouette is closing.");
  }

  #request(build: (id: number) => ShellToCore): Promise<unknown> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      if (this.#state === "failed" || this.#state === "stopping") {
        reject(stoppedError(this.#failure || "Silhouette is closing."));
        return;
      }
      this.#waiting.set(id, { resolve, reject });
      const message = build(id);
      if (this.#state === "serving") this.#channel?.post(message);
      else this.#outbox.push(message);
    });
  }

  #start(): void {
    this.#state = "starting";
    let channel: CoreChannel;
    try {
      channel = this.#options.start();
    } catch (error) {
      this.#fail(messageOf(error));
      return;
    }
    this.#channel = channel;
    channel.onMessage((message) => {
      this.#receive(message);
    });
    channel.onExit((exit) => {
      this.#exited(exit);
    });
  }

  #receive(message: CoreToShell): void {
    switch (message.kind) {
      case "ready":
        this.#serve();
        break;
      case "failed":
        this.#fail(message.message);
        break;
      case "event":
        this.#options.onEvent(message.event, message.payload);
        break;
      case "result":
        this.#settle(message.id)?.resolve(message.output);
        break;
      case "pixels-result":
        this.#settle(message.id)?.resolve({ headers: message.headers, body: message.body });
        break;
      case "error":
        this.#settle(message.id)?.reject(new CoreError(message.error));
        break;
    }
  }

  #serve(): void {
    if (this.#state !== "starting") return;
    this.#state = "serving";
    for (const message of this.#outbox.splice(0)) this.#channel?.post(message);
    if (this.#deathsInARow > 0) {
      this.#options.onRestarted(
        "The core stopped and was restarted. What was under way has to be started again; " +
          "nothing that was stored is lost.",
      );
    }
    this.#healthyTimer = setTimeout(() => {
      this.#deathsInARow = 0;
    }, this.#timing.healthyMilliseconds);
    this.#healthyTimer.unref();
  }

  #exited({ reason }: CoreExit): void {
    clearTimeout(this.#healthyTimer);
    this.#channel = null;
    if (this.#state === "stopping" || this.#state === "failed") {
      this.#onStopped?.();
      return;
    }
    // What waits in the outbox never reached the core that died.
    const unsent = new Set(this.#outbox.map((message) => ("id" in message ? message.id : 0)));
    this.#rejectAll(`The core stopped (${reason}) while this was under way.`, unsent);
    this.#deathsInARow += 1;
    if (this.#deathsInARow > mostRestartsInARow) {
      this.#fail(
        `The core stopped ${this.#deathsInARow} times in a row (${reason}). ` +
          "Close Silhouette and open it again; if it happens again, restore a backup.",
      );
      return;
    }
    this.#state = "down";
    const wait = this.#timing.restartMilliseconds * 2 ** (this.#deathsInARow - 1);
    this.#restartTimer = setTimeout(() => {
      this.#start();
    }, wait);
  }

  #fail(message: string): void {
    if (this.#state === "stopping") return;
    this.#state = "failed";
    this.#failure = message;
    this.#outbox = [];
    this.#rejectAll(message);
    this.#options.onFailed(message);
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  #rejectAll(message: string, except: ReadonlySet<number> = new Set()): void {
    for (const [id, { reject }] of this.#waiting) {
      if (except.has(id)) continue;
      this.#waiting.delete(id);
      reject(stoppedError(message));
    }
  }
}

function stoppedError(message: string): CoreError {
  return new CoreError({ name: "CoreStopped", kind: "resource", message });
}
