import { describe, expect, it } from "vitest";
import { anchorsOf, ringOf, roomFor, type Rect } from "../../src/canvas/labels";
import type { Mark } from "../../src/forms";
import { byImage, dashOf, isChosen, labelOf, layersOf, placedOf, TRUTH, type ArmScene } from "../../src/canvas/marks";
import { mark, shown } from "./made";

const truth = mark({ layer: "truth", turn: null, call: null, tool: "", name: "ground truth", value: "9.00 mm" });
const answer = mark({ layer: "answer", call: null, tool: "", name: "answer: distance", value: "8.00 mm", turn: 5 });
const view = mark({ layer: "view", kind: "box", tool: "crop", name: "view v1, 2 slices after", value: "3 x 4 mm" });
const arm = (name: string, image: string, marks = [truth, mark({ value: "8.00 mm" }), answer, view]): ArmScene => ({
  name,
  colour: `#${name}`,
  scene: { shown: shown({ name: image }), marks, missing: [] },
});

describe("the marks of several arms", () => {
  it("share an image only where it is the same", () => {
    const groups = byImage([arm("on", "a"), arm("off", "a"), arm("swapped", "b")]);
    expect([...groups.values()].map((group) => group.map((one) => one.name))).toEqual([["on", "off"], ["swapped"]]);
  });

  it("have the ground truth once, and every other mark in the colour of its arm", () => {
    const placed = placedOf([arm("on", "a"), arm("off", "a")]);
    expect(placed.filter((one) => one.arm === TRUTH)).toHaveLength(1);
    expect(placed.filter((one) => one.colour === "#off")).toHaveLength(3);
    expect(new Set(placed.map((one) => one.key)).size).toBe(placed.length);
  });

  it("are toggled by arm and kind", () => {
    const layers = layersOf(placedOf([arm("on", "a"), arm("off", "a")]));
    expect(layers.map((one) => `${one.arm}: ${one.name}`)).toEqual([
      `${TRUTH}: truth`,
      "on: answer",
      "on: ruler",
      "on: views",
      "off: answer",
      "off: ruler",
      "off: views",
    ]);
  });

  it("stand out by turn or call, of one arm or of all", () => {
    const placed = placedOf([arm("on", "a"), arm("off", "a")]);
    const lit = (chosen: Parameters<typeof isChosen>[1]): number =>
      placed.filter((one) => isChosen(one, chosen)).length;
    expect(lit(null)).toBe(0);
    expect(lit({ arm: "on" })).toBe(0);
    expect(lit({ turn: 3 })).toBe(4);
    expect(lit({ turn: 3, arm: "on" })).toBe(2);
    expect(lit({ call: 2 })).toBe(0);
    expect(lit({ turn: 5, arm: "off" })).toBe(1);
  });

  it("are told in few words beside them", () => {
    const words = placedOf([arm("on", "a")]).map(labelOf);
    expect(words).toEqual(["ground truth 9.00 mm", "8.00 mm", "answer 8.00 mm", "v1"]);
    const fitted = { tool: "fit_contour", value: "5.00 x 4.00 mm" };
    const marks = [
      mark({ ...fitted, kind: "ellipse", name: "fit_contour, ellipse" }),
      mark({ ...fitted, kind: "box", name: "fit_contour, box" }),
      mark({ ...fitted, kind: "box", name: "region given", value: "" }),
      mark({ ...fitted, kind: "box", layer: "answer", name: "answer" }),
    ];
    expect(placedOf([arm("on", "a", marks)]).map(labelOf)).toEqual([
      ...["ellipse 5.00 x 4.00 mm", "box 5.00 x 4.00 mm", "region", "answer 5.00 x 4.00 mm"],
    ]);
  });

  it("have dashes of their own: truth, region, fitted box, view; an answer has none", () => {
    const box = (name: string, layer: Mark["layer"] = "tool") => dashOf(mark({ kind: "box", layer, name }));
    const dashes = [box("", "truth"), box("region given"), box("fit_contour, box"), box("view v1", "view")];
    expect(new Set(dashes.map(String)).size).toBe(4);
    expect(box("answer", "answer")).toEqual([]);
  });
});

describe("labels", () => {
  const canvas = { width: 300, height: 200 };
  const size = { width: 60, height: 18 };

  it("stand at the first anchor that has room, beside it and not on it", () => {
    expect(roomFor([[100, 100]], size, canvas, [], 7)).toEqual({ x: 107, y: 75, ...size });
    const beside = roomFor([[100, 100], [200, 50]], size, canvas, [{ x: 0, y: 60, width: 300, height: 140 }], 7); // prettier-ignore
    expect(beside).toEqual({ x: 207, y: 25, ...size });
    expect(roomFor([[295, 5]], size, canvas, [], 7)).toEqual({ x: 228, y: 12, ...size });
  });

  it("are left out where there is no room", () => {
    expect(roomFor([[100, 100]], size, canvas, [{ x: 0, y: 0, ...canvas }], 7)).toBeNull();
    expect(roomFor([[10, 10]], { width: 400, height: 18 }, canvas, [], 7)).toBeNull();
    expect(roomFor([], size, canvas, [], 7)).toBeNull();
  });

  it("of a box begin at its upper corners, whichever two corners it has; of a line in its middle", () => {
    const corners = [[10, 20], [50, 20], [10, 90], [50, 90]]; // prettier-ignore
    expect(anchorsOf("box", [[10, 90], [50, 20]])).toEqual(corners); // prettier-ignore
    expect(anchorsOf("box", [[50, 20], [10, 90]])).toEqual(corners); // prettier-ignore
    expect(anchorsOf("line", [[0, 0], [10, 20]])[0]).toEqual([5, 10]); // prettier-ignore
    expect(anchorsOf("outline", Array(20).fill([1, 1]))).toHaveLength(8);
  });

  it("that find no room at their mark stand around the ground truth, never on it", () => {
    const kept: Rect = { x: 100, y: 60, width: 80, height: 60 };
    const found = roomFor(ringOf(kept, 14), size, canvas, [kept], 7);
    expect(found).not.toBeNull();
    if (found) expect(found.x >= 180 || found.x + 60 <= 100 || found.y >= 120 || found.y + 18 <= 60).toBe(true);
  });

  it("never lie over each other, nor outside", () => {
    const taken: Rect[] = [];
    const canvas = { width: 300, height: 200 };
    for (let at = 0; at < 60; at++) {
      const place = roomFor([[(at * 37) % 300, (at * 53) % 200]], { width: 60, height: 18 }, canvas, taken, 6);
      if (!place) continue;
      expect(place.x).toBeGreaterThanOrEqual(0);
      expect(place.y + place.height).toBeLessThanOrEqual(200);
      for (const other of taken)
        expect(
          place.x + place.width <= other.x ||
            other.x + other.width <= place.x ||
            place.y + place.height <= other.y ||
            other.y + other.height <= place.y,
        ).toBe(true);
      taken.push(place);
    }
    expect(taken.length).toBeGreaterThan(10);
    expect(taken.length).toBeLessThan(60);
  });
});
