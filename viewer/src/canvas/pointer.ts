// What dragging, pinching and turning the wheel do, in device pixels of the canvas.
import { moved, zoomed, type Camera, type XY } from "./geometry";
import type { Window } from "./values";

export type Drag =
  | { readonly kind: "pan"; readonly from: XY; readonly camera: Camera; readonly far: boolean }
  | { readonly kind: "pinch"; readonly apart: number; readonly middle: XY; readonly camera: Camera }
  | { readonly kind: "window"; readonly from: XY; readonly window: Window }
  | { readonly kind: "measure"; readonly start: XY };

/** Device pixels over which a window grows by a factor of e, or moves by its width. */
const SLOW = 220;
/** CSS pixels within which a press is a click. */
export const STILL = 4;

export const panned = (camera: Camera, from: XY, to: XY): Camera => moved(camera, to[0] - from[0], to[1] - from[1]);

export function pinched(drag: Extract<Drag, { kind: "pinch" }>, a: XY, b: XY): Camera {
  const [middle, apart] = between(a, b);
  const camera = zoomed(drag.camera, apart / Math.max(drag.apart, 1), drag.middle);
  return moved(camera, middle[0] - drag.middle[0], middle[1] - drag.middle[1]);
}

/** The middle of two points, and how far they are apart. */
export const between = (a: XY, b: XY): readonly [XY, number] => [
  [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2],
  Math.hypot(b[0] - a[0], b[1] - a[1]),
];

/** The window after a drag: to the right it is wider, downwards it shows higher values in the middle. */
export function windowed(window: Window, dx: number, dy: number, ratio: number): Window {
  const width = Math.max(window.high - window.low, 1e-6);
  const level = (window.low + window.high) / 2 + (dy / SLOW / ratio) * width;
  return around(level, width * Math.exp(dx / SLOW / ratio));
}

export const around = (level: number, width: number): Window => ({ low: level - width / 2, high: level + width / 2 });

export const wheelFactor = (event: WheelEvent): number =>
  Math.exp(-event.deltaY * (event.deltaMode === 1 ? 16 : 1) * (event.ctrlKey ? 0.01 : 0.0018));
