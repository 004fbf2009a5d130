import type { TelemetryPoint } from "../../shared/domain.ts";
import { runProgress } from "./activity.svelte.ts";
import { call } from "./bridge.ts";
import { reportFailure } from "./notices.svelte.ts";
import { track } from "./track.ts";

/** Curves grow at most this often, whatever the steps' rate is. */
const pauseMilliseconds = 1000;

/**
 * The curve of a run, which grows while the run does. Call it while a component is being set up;
 * `runId` may change.
 */
export function createTelemetry(runId: () => string | null): {
  readonly points: readonly TelemetryPoint[];
} {
  let points = $state.raw<readonly TelemetryPoint[]>([]);
  let shown: string | null = null;
  let busy = false;
  let again = false;

  async function fetchMore(): Promise<void> {
    const id = shown;
    if (id === null) return;
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    try {
      const afterStep = points.at(-1)?.step ?? 0;
      const more = await call("run:telemetry", { runId: id, afterStep });
      if (id === shown && more.length > 0) points = [...points, ...more];
    } catch (thrown) {
      reportFailure("The run's curve could not be read", thrown);
    }
    setTimeout(() => {
      busy = false;
      if (!again) return;
      again = false;
      void fetchMore();
    }, pauseMilliseconds);
  }

  $effect(() => {
    const id = runId();
    // Each progress message is a reason to look for new points.
    if (id !== null) track(runProgress(id));
    if (id !== shown) {
      shown = id;
      points = [];
      busy = false;
    }
    void fetchMore();
  });

  return {
    get points() {
      return points;
    },
  };
}
