// Where labels go: beside their marks, never over each other, and left out where there is no room.
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
