import { describe, expect, it } from "vitest";
import { roomFor, type Rect } from "../../src/canvas/labels";
import { byImage, isChosen, labelOf, layersOf, placedOf, TRUTH, type ArmScene } from "../../src/canvas/marks";
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
    expect(words).toEqual(["truth 9.00 mm", "8.00 mm", "answer 8.00 mm", "v1"]);
  });
});

describe("labels", () => {
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
