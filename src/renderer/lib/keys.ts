import { screens, session, show } from "./session.svelte.ts";

/** All keys, by where they work: one list for the handler's reader, the help and the settings. */
export const keyGroups = [
  {
    title: "Everywhere",
    keys: [
      { keys: ["1", "2", "3", "4", "5"], does: "Cohort, Train, Compare, Privacy, Settings" },
      { keys: ["?"], does: "Show all keys" },
      { keys: ["Tab"], does: "Next control" },
      { keys: ["Esc"], does: "Close a dialog or the film" },
    ],
  },
  {
    title: "Table of films",
    keys: [
      { keys: ["↑", "↓"], does: "Previous or next row" },
      { keys: ["Page ↑", "Page ↓"], does: "A page up or down" },
      { keys: ["Home", "End"], does: "First or last row" },
      { keys: ["Enter"], does: "Open the film" },
    ],
  },
  {
    title: "Film",
    keys: [
      { keys: ["←", "→"], does: "Previous or next film (also the wheel)" },
      { keys: ["1", "…", "5"], does: "Window presets" },
      { keys: ["i"], does: "Invert" },
      { keys: ["="], does: "Fit to the window" },
      { keys: ["l", "r"], does: "Rotate left or right" },
      { keys: ["h", "v"], does: "Flip horizontally or vertically" },
      { keys: ["Space"], does: "Reset the view" },
      { keys: ["s"], does: "Set aside, or include again" },
      { keys: ["Esc"], does: "Back to the table" },
    ],
  },
  {
    title: "Review of burned-in text",
    keys: [
      { keys: ["←", "→"], does: "Previous or next film" },
      { keys: ["a"], does: "No text here" },
      { keys: ["p"], does: "Take the proposed rectangles" },
      { keys: ["Enter"], does: "Blacken the rectangles" },
      { keys: ["Backspace"], does: "Remove the last rectangle" },
      { keys: ["s"], does: "Set the film aside" },
      { keys: ["u"], does: "Undo the decision" },
    ],
  },
  {
    title: "Mouse on a film",
    keys: [
      { keys: ["Left drag"], does: "Window width and centre" },
      { keys: ["Middle drag"], does: "Move" },
      { keys: ["Right drag"], does: "Zoom" },
      { keys: ["Wheel"], does: "Previous or next film" },
    ],
  },
] as const;

/** True where a key belongs to the control that has the focus. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return target.type !== "checkbox";
  return (
    target instanceof HTMLSelectElement ||
    target instanceof HTMLTextAreaElement ||
    target.isContentEditable
  );
}

/** Keys that work on every screen. The viewer has its own, and a dialog keeps all keys. */
export function onGlobalKey(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (session.dialog !== null || document.querySelector("dialog[open]") !== null) return;
  if (event.key === "?") {
    event.preventDefault();
    session.dialog = "keys";
    return;
  }
  if (session.filmIndex !== null) return;
  const screen = screens.find((candidate) => candidate.key === event.key);
  if (screen === undefined) return;
  event.preventDefault();
  show(screen.name);
}
