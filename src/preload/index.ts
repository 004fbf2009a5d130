import { contextBridge, ipcRenderer, webUtils } from "electron";
import { channels, type Answer } from "../shared/channels.ts";

/**
 * What the interface sees of the product. The contract gives procedures and events their types; the
 * shell decides what exists, so nothing is checked here.
 */
const bridge = {
  /** Rejects with an `ErrorDescription`: the bridge strips a real `Error` of all but its message. */
  call: async (procedure: string, input: unknown): Promise<unknown> => {
    const answer = (await ipcRenderer.invoke(channels.call, procedure, input)) as Answer;
    return answer.ok ? answer.output : Promise.reject(answer.error);
  },

  /** Returns the function that stops listening. */
  on: (event: string, listener: (payload: unknown) => void): (() => void) => {
    const relay = (_: unknown, name: string, payload: unknown) => {
      if (name === event) listener(payload);
    };
    ipcRenderer.on(channels.event, relay);
    return () => {
      ipcRenderer.off(channels.event, relay);
    };
  },

  /** The paths of files that were dropped on the window; empty for those that are no files. */
  pathsOf: (files: File[]): string[] => files.map((file) => webUtils.getPathForFile(file)),
};

contextBridge.exposeInMainWorld("silhouette", bridge);
