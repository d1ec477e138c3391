// What dragging, pinching and turning the wheel do, in device pixels of the canvas.
import { moved, zoomed, type Camera, type XY } from "./geometry";
import type { Window } from "./values";

export type Drag =
  | { readonly kind: "pan"; readonly from: XY; readonly camera: Camera; readonly far: boolean }
  | { readonly kind: "pinch"; readonly apart: number; readonly middle: XY; readonly camera: Camera }
  | { readonly kind: "window"; readonly from: XY; readonly window: Window }
  | { readonly kind: "measure"; readonly start: XY };

/** What hands and keys do on the canvas, for the help. */
export const HANDLES: readonly (readonly [string, string])[] = [
  ["Drag", "Move the image"],
  ["Wheel", "Zoom, once the canvas was clicked or has the focus; elsewhere with Ctrl or ⌘"],
  ["Drag with the right button, or with Alt", "Window: to the right it is wider, downwards its level is higher"],
  ["Drag with Shift, or with Measure on", "Measure a line of your own"],
  ["Click on a mark", "Go to the turn that made it"],
  ["Arrows", "Move the image; with Measure on, move the cross-hair by a pixel, with Shift by ten"],
  ["Enter", "With Measure on: set one end of your line, then the other"],
  ["+ −", "Zoom in, zoom out"],
  ["0", "Show the whole image"],
  ["[ ]", "Make the window narrower, wider"],
  ["Esc", "Remove your line"],
];

/** Device pixels over which a window grows by a factor of e, or moves by its width. */
const SLOW = 220;
/** The logarithm of the largest factor of one step of a pinch. */
const MOST_PINCH = 0.25;
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

/** With Ctrl, a pinch on a touchpad has small steps, and a wheel large ones. */
export function wheelFactor(event: WheelEvent): number {
  const by = -event.deltaY * (event.deltaMode === 1 ? 16 : 1) * (event.ctrlKey ? 0.01 : 0.0018);
  return Math.exp(event.ctrlKey ? Math.min(Math.max(by, -MOST_PINCH), MOST_PINCH) : by);
}
