// Where things lie: points of the image (x right, y down, the origin at the outer corner of the first pixel), device
// pixels of the canvas, and millimetres. Pixels that are not square are shown with their true proportions.
import type { Mark, Shown } from "../forms";

export type XY = readonly [number, number];

/** Where the image lies on the canvas. */
export interface Camera {
  /** Device pixels of the image's origin. */
  readonly x: number;
  readonly y: number;
  /** Device pixels for the shorter side of a pixel of the image. */
  readonly zoom: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export const LEAST_ZOOM = 0.05;
export const MOST_ZOOM = 200;
const MARGIN = 0.02;
const RING = 96;

/** Device pixels for a pixel of the image, across and down. */
export function scales(shown: Shown, zoom: number): XY {
  const shorter = Math.min(shown.pixel_width_mm, shown.pixel_height_mm);
  return [(zoom * shown.pixel_width_mm) / shorter, (zoom * shown.pixel_height_mm) / shorter];
}

/** The image's origin on the canvas: a whole device pixel, so that pixels of the image have sharp edges. */
const origin = (camera: Camera): XY => [Math.round(camera.x), Math.round(camera.y)];

export function toCanvas(shown: Shown, camera: Camera, [x, y]: XY): XY {
  const [sx, sy] = scales(shown, camera.zoom);
  const [ox, oy] = origin(camera);
  return [ox + x * sx, oy + y * sy];
}

export function toImage(shown: Shown, camera: Camera, [x, y]: XY): XY {
  const [sx, sy] = scales(shown, camera.zoom);
  const [ox, oy] = origin(camera);
  return [(x - ox) / sx, (y - oy) / sy];
}

/** The camera that shows the whole image in the middle of a canvas. */
export function fitting(shown: Shown, canvas: Size): Camera {
  const [sx, sy] = scales(shown, 1);
  const room = 1 - 2 * MARGIN;
  const zoom = Math.min((canvas.width * room) / (shown.width * sx), (canvas.height * room) / (shown.height * sy));
  return centred(shown, canvas, Math.min(Math.max(zoom, LEAST_ZOOM), MOST_ZOOM));
}

/** The camera that shows the middle of the image in the middle of a canvas. */
export function centred(shown: Shown, canvas: Size, zoom: number): Camera {
  const [sx, sy] = scales(shown, zoom);
  return { x: (canvas.width - shown.width * sx) / 2, y: (canvas.height - shown.height * sy) / 2, zoom };
}

/** The camera zoomed by a factor around a point of the canvas, which stays where it is. */
export function zoomed(camera: Camera, factor: number, [x, y]: XY): Camera {
  const zoom = Math.min(Math.max(camera.zoom * factor, LEAST_ZOOM), MOST_ZOOM);
  const by = zoom / camera.zoom;
  return { x: x - (x - camera.x) * by, y: y - (y - camera.y) * by, zoom };
}

export const moved = (camera: Camera, dx: number, dy: number): Camera => ({
  x: camera.x + dx,
  y: camera.y + dy,
  zoom: camera.zoom,
});

export function millimetres(shown: Shown, a: XY, b: XY): number {
  return Math.hypot((b[0] - a[0]) * shown.pixel_width_mm, (b[1] - a[1]) * shown.pixel_height_mm);
}

/** The lines that a mark is drawn with, in pixels of the image; a point is a line of one point. */
export function strokes(mark: Mark): XY[][] {
  const points: XY[] = mark.points;
  const [a, b, c, d] = points;
  switch (mark.kind) {
    case "angle":
      return a && b && c && d ? [[a, b], [c, d]] : []; // prettier-ignore
    case "box":
      return a && b ? [[a, [b[0], a[1]], b, [a[0], b[1]], a]] : [];
    case "ellipse":
      return a && b && c && d ? [ring(a, b, c, d)] : [];
    case "outline":
      return a ? [[...points, a]] : [];
    default:
      return [points];
  }
}

function ring(a: XY, b: XY, c: XY, d: XY): XY[] {
  const middle: XY = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  return Array.from({ length: RING + 1 }, (_, step) => {
    const turn = (2 * Math.PI * step) / RING;
    const [u, v] = [Math.cos(turn) / 2, Math.sin(turn) / 2];
    return [middle[0] + u * (b[0] - a[0]) + v * (d[0] - c[0]), middle[1] + u * (b[1] - a[1]) + v * (d[1] - c[1])];
  });
}

/** How far a point is from a mark, a pixel of the image counting *sx* across and *sy* down. */
export function distance(mark: Mark, point: XY, [sx, sy]: XY): number {
  let least = Infinity;
  for (const line of strokes(mark)) {
    const first = line[0];
    if (line.length === 1 && first)
      least = Math.min(least, Math.hypot((point[0] - first[0]) * sx, (point[1] - first[1]) * sy));
    for (let at = 1; at < line.length; at++) {
      const [a, b] = [line[at - 1], line[at]];
      if (a && b) least = Math.min(least, toSegment(point, a, b, sx, sy));
    }
  }
  return least;
}

function toSegment(p: XY, a: XY, b: XY, sx: number, sy: number): number {
  const [dx, dy] = [(b[0] - a[0]) * sx, (b[1] - a[1]) * sy];
  const [px, py] = [(p[0] - a[0]) * sx, (p[1] - a[1]) * sy];
  const length = dx * dx + dy * dy;
  const along = length === 0 ? 0 : Math.min(Math.max((px * dx + py * dy) / length, 0), 1);
  return Math.hypot(px - along * dx, py - along * dy);
}

/** The largest of 1, 2 and 5 times a power of ten that is no larger than *most*: the length of a scale bar. */
export function roundLength(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most));
  return Math.max(...[1, 2, 5, 10].map((factor) => factor * power).filter((length) => length <= most * (1 + 1e-9)));
}
