// Native values and the greys that a window shows them as: the same arithmetic, in floats of 32 bits, as the recipe's own
// (`tools/view/slice.py`), so that the window of the recipe gives the pixels that the model was sent, bit by bit.
import type { Shown } from "../forms";
import type { Pixels } from "./png";

export interface Window {
  readonly low: number;
  readonly high: number;
}

export interface Values {
  readonly shown: Shown;
  /** The stored number of each pixel; of a colour picture, its green. */
  readonly stored: Uint16Array;
  /** Red, green and blue, of a colour picture. */
  readonly colours: Uint8Array | null;
}

/** HU windows as (width, level), by the names of radiology. */
export const PRESETS: readonly (readonly [string, number, number])[] = [
  ["Soft tissue", 400, 40],
  ["Lung", 1500, -600],
  ["Bone", 1800, 400],
  ["Brain", 80, 40],
];

/** Read a picture as values; throws an Error where it is not the picture that *shown* speaks of. */
export function valuesOf(shown: Shown, pixels: Pixels): Values {
  const channels = shown.storage === "grey8" ? 1 : 3;
  if (pixels.width !== shown.width || pixels.height !== shown.height || pixels.channels !== channels)
    throw new Error("the image file is not the one that is spoken of");
  const { bytes } = pixels;
  const count = shown.width * shown.height;
  const stored = new Uint16Array(count);
  for (let at = 0; at < count; at++)
    stored[at] =
      channels === 1
        ? (bytes[at] ?? 0)
        : shown.storage === "rgb8"
          ? (bytes[3 * at + 1] ?? 0)
          : ((bytes[3 * at] ?? 0) << 8) | (bytes[3 * at + 1] ?? 0);
  return { shown, stored, colours: shown.storage === "rgb8" ? bytes : null };
}

export const nativeOf = (shown: Shown, stored: number): number => Math.fround(stored * shown.slope + shown.intercept);

/** The native value of the pixel at a point of the image; null outside. */
export function valueAt(values: Values, x: number, y: number): number | null {
  const [column, row] = [Math.floor(x), Math.floor(y)];
  const { width, height } = values.shown;
  if (column < 0 || row < 0 || column >= width || row >= height) return null;
  return nativeOf(values.shown, values.stored[row * width + column] ?? 0);
}

/** The grey of each stored number through a window: clipped, scaled to 0..255, truncated; black where it is empty. */
export function greys(shown: Shown, { low, high }: Window): Uint8Array {
  const { fround } = Math;
  const table = new Uint8Array(shown.storage === "packed16" ? 65536 : 256);
  if (!(high > low)) return table;
  const [from, to, extent] = [fround(low), fround(high), fround(high - low)];
  for (let stored = 0; stored < table.length; stored++) {
    const clipped = Math.min(Math.max(nativeOf(shown, stored), from), to);
    table[stored] = fround(fround(fround(clipped - from) / extent) * 255);
  }
  return table;
}

/** Paint values through a window, as RGBA. */
export function painted(values: Values, window: Window): ImageData {
  const { shown, stored, colours } = values;
  const image = new ImageData(shown.width, shown.height);
  const out = new Uint32Array(image.data.buffer);
  const table = greys(shown, window);
  for (let at = 0; at < stored.length; at++) {
    const grey = table[stored[at] ?? 0] ?? 0;
    out[at] = 0xff000000 | (grey << 16) | (grey << 8) | grey;
  }
  if (colours)
    for (let at = 0; at < stored.length; at++)
      for (let channel = 0; channel < 3; channel++) image.data[4 * at + channel] = colours[3 * at + channel] ?? 0;
  return image;
}

/** A value with its unit, with as many digits as tell it. */
export function written(value: number, unit: string): string {
  const text = Number.isInteger(value) ? String(value) : value.toPrecision(5).replace(/\.?0+$/, "");
  const number = text.replace("-", "−");
  return unit === "HU" ? `${number} HU` : `${unit || "value"} ${number}`;
}
