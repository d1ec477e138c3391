import { useEffect, useMemo, useState } from "preact/hooks";
import { readPng } from "./png";
import { painted, valuesOf, type Values, type Window } from "./values";
import type { Shown } from "../forms";

export interface Read {
  readonly values: Values | null;
  readonly problem: string;
}

/** The native values of an image: none while it is being read, and a problem where it cannot be. */
export function useValues(shown: Shown, read: (name: string) => Promise<Uint8Array>): Read {
  const [found, setFound] = useState<Read>({ values: null, problem: "" });
  useEffect(() => {
    let wanted = true;
    setFound({ values: null, problem: "" });
    read(shown.name)
      .then(readPng)
      .then((pixels) => ({ values: valuesOf(shown, pixels), problem: "" }))
      .catch((error: unknown) => ({ values: null, problem: error instanceof Error ? error.message : String(error) }))
      .then(
        (one) => wanted && setFound(one),
        () => undefined,
      );
    return () => {
      wanted = false;
    };
  }, [shown.name]);
  return found;
}

/** The image through a window, as something that can be drawn. */
export function usePainted(values: Values | null, window: Window): HTMLCanvasElement | null {
  return useMemo(() => {
    if (!values) return null;
    const canvas = document.createElement("canvas");
    canvas.width = values.shown.width;
    canvas.height = values.shown.height;
    canvas.getContext("2d")?.putImageData(painted(values, window), 0, 0);
    return canvas;
  }, [values, window.low, window.high]);
}
