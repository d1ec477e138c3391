import { describe, expect, it } from "vitest";
import {
  distance,
  fitting,
  millimetres,
  moved,
  roundLength,
  scales,
  strokes,
  toCanvas,
  toImage,
  zoomed,
  type Camera,
  type XY,
} from "../../src/canvas/geometry";
import { mark, shown } from "./made";

const canvas = { width: 800, height: 600 };

describe("the place of a point", () => {
  it("keeps the proportions of pixels that are not square", () => {
    const [sx, sy] = scales(shown(), 3);
    expect(sx).toBe(3);
    expect(sy).toBe(12);
  });

  it("comes back from the canvas", () => {
    for (let at = 0; at < 200; at++) {
      const camera: Camera = { x: at * 3.7 - 100, y: 55.5 - at, zoom: 0.1 + at / 7 };
      const point: XY = [at / 3, at / 5];
      const back = toImage(shown(), camera, toCanvas(shown(), camera, point));
      expect(back[0]).toBeCloseTo(point[0], 9);
      expect(back[1]).toBeCloseTo(point[1], 9);
    }
  });

  it("has the image begin on a whole device pixel", () => {
    expect(toCanvas(shown(), { x: 10.4, y: -3.6, zoom: 2 }, [0, 0])).toEqual([10, -4]);
  });

  it("fits the image in the middle", () => {
    const camera = fitting(shown(), canvas);
    const [left, top] = toCanvas(shown(), camera, [0, 0]);
    const [right, bottom] = toCanvas(shown(), camera, [60, 40]);
    expect(left).toBeGreaterThanOrEqual(0);
    expect(bottom).toBeLessThanOrEqual(600);
    expect(bottom - top).toBeGreaterThan(560);
    expect(Math.abs(left - (800 - right))).toBeLessThanOrEqual(2);
  });

  it("stays under the pointer while zooming, at every bound", () => {
    let camera = fitting(shown(), canvas);
    const pointer: XY = [311, 207];
    const [x, y] = [(pointer[0] - camera.x) / camera.zoom, (pointer[1] - camera.y) / camera.zoom];
    for (const factor of [1.5, 7, 100, 0.01, 1e-6, 3]) {
      camera = zoomed(camera, factor, pointer);
      expect(camera.x + x * camera.zoom).toBeCloseTo(pointer[0], 6);
      expect(camera.y + y * camera.zoom).toBeCloseTo(pointer[1], 6);
    }
    expect(moved(camera, 5, -2).x).toBe(camera.x + 5);
  });
});

describe("lengths", () => {
  it("are in millimetres on long pixels", () => {
    expect(millimetres(shown(), [1, 1], [7, 3])).toBe(5);
  });

  it("are measured to the nearest part of a mark", () => {
    const line = mark({ points: [[0, 0], [10, 0]] }); // prettier-ignore
    expect(distance(line, [5, 3], [0.5, 2])).toBe(6);
    expect(distance(line, [16, 0], [0.5, 2])).toBe(3);
    expect(distance(mark({ kind: "point", points: [[4, 4]] }), [4, 5], [0.5, 2])).toBe(2);
    const box = mark({ kind: "box", points: [[10, 10], [2, 2]] }); // prettier-ignore
    expect(distance(box, [6, 6], [1, 1])).toBe(4);
    const round = mark({ kind: "ellipse", points: [[0, 5], [10, 5], [5, 0], [5, 10]] }); // prettier-ignore
    expect(distance(round, [5, 5], [1, 1])).toBeCloseTo(5, 1);
    expect(distance(mark({ kind: "angle", points: [] }), [5, 5], [1, 1])).toBe(Infinity);
  });

  it("close outlines, and draw ellipses through the ends of their axes", () => {
    const outline = strokes(mark({ kind: "outline", points: [[0, 0], [4, 0], [4, 4]] })); // prettier-ignore
    expect(outline[0]).toHaveLength(4);
    expect(outline[0]?.[3]).toEqual([0, 0]);
    const points: [number, number][] = [[1, 2], [9, 6], [3, 8], [7, 0]]; // prettier-ignore
    const ring = strokes(mark({ kind: "ellipse", points }))[0] ?? [];
    for (const [x, y] of points) expect(Math.min(...ring.map(([a, b]) => Math.hypot(a - x, b - y)))).toBeLessThan(1e-9);
  });

  it("of scale bars are round", () => {
    expect([0.9, 1, 3, 7.2, 19, 99, 0.004].map(roundLength)).toEqual([0.5, 1, 2, 5, 10, 50, 0.002]);
  });
});
