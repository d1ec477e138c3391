// The keyboard: pages say what their keys do while they are open, and the help lists it.
import { signal } from "@preact/signals";
import { useLayoutEffect } from "preact/hooks";

export interface Key {
  /** As in KeyboardEvent.key. */
  keys: string[];
  does: string;
  run: (event: KeyboardEvent) => void;
}

const layers = signal<readonly (readonly Key[])[]>([]);
export const helping = signal(false);
export const allKeys = (): Key[] => layers.value.flat();

const writing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.matches("input, textarea, select") || target.isContentEditable);

function pressed(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (writing(event.target)) {
    if (event.key === "Escape") {
      event.preventDefault(); // a search field would be emptied
      (event.target as HTMLElement).blur();
    }
    return;
  }
  if (helping.value && event.key !== "?" && event.key !== "Escape") return;
  if (event.key === "Enter" && event.target instanceof HTMLElement && event.target.matches("a, button, summary"))
    return;
  const key = allKeys().findLast((one) => one.keys.includes(event.key));
  if (!key) return;
  event.preventDefault();
  key.run(event);
}
addEventListener("keydown", pressed);

/** Listen to *keys* while the component is there. */
export function useKeys(keys: Key[]): void {
  useLayoutEffect(() => {
    // before the next key: a key that is pressed twice must act on what the first one did
    layers.value = [...layers.peek(), keys];
    return () => {
      layers.value = layers.peek().filter((one) => one !== keys);
    };
  }, [keys]);
}
