// Where labels go: beside their marks, never over each other, and left out where there is no room.
import type { Mark } from "../forms";
import type { Size, XY } from "./geometry";

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const apart = (a: Rect, b: Rect): boolean =>
  a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;

/** The first place beside one of the anchors that lies on the canvas and over no other label; null without any. */
export function roomFor(
  anchors: readonly XY[],
  size: Size,
  canvas: Size,
  taken: readonly Rect[],
  gap: number,
): Rect | null {
  const { width, height } = size;
  for (const [x, y] of anchors) {
    const corners: XY[] = [
      [x + gap, y - gap - height],
      [x + gap, y + gap],
      [x - gap - width, y - gap - height],
      [x - gap - width, y + gap],
      [x - width / 2, y - 2 * gap - height],
      [x - width / 2, y + 2 * gap],
    ];
    for (const corner of corners) {
      const place = { x: Math.round(corner[0]), y: Math.round(corner[1]), width, height };
      const inside =
        place.x >= 0 && place.y >= 0 && place.x + width <= canvas.width && place.y + height <= canvas.height;
      if (inside && taken.every((other) => apart(place, other))) return place;
    }
  }
  return null;
}

/** Where a label may stand: first the places that belong to the mark most; of a box its upper corners. */
export function anchorsOf(kind: Mark["kind"], placed: readonly XY[]): XY[] {
  const [a, b, c, d] = placed;
  const between = (p: XY, q: XY): XY => [(p[0] + q[0]) / 2, (p[1] + q[1]) / 2];
  if (kind === "line" && a && b) return [between(a, b), a, b];
  if (kind === "angle" && a && b && c && d) return [between(a, b), between(c, d), a, b, c, d];
  if (kind === "box" && a && b) {
    const [left, right, top, bottom] = [Math.min(a[0], b[0]), Math.max(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[1], b[1])]; // prettier-ignore
    return [[left, top], [right, top], [left, bottom], [right, bottom]]; // prettier-ignore
  }
  return placed.slice(0, 8);
}

/** Places around a box, the nearest first. */
export function ringOf({ x, y, width, height }: Rect, step: number): XY[] {
  return [1, 2, 3, 4].flatMap((times): XY[] => {
    const [left, right, top, bottom] = [x - times * step, x + width + times * step, y - times * step, y + height + times * step]; // prettier-ignore
    const [cx, cy] = [x + width / 2, y + height / 2];
    return [[right, top], [right, cy], [right, bottom], [left, top], [left, cy], [left, bottom], [cx, top], [cx, bottom]]; // prettier-ignore
  });
}
