import { expect, test } from "vitest";
import { apartOf } from "../src/apart";
import type { Mark, Talk } from "../src/forms";
import { mark, talk, turn } from "./made";

const box = (layer: Mark["layer"], points: [number, number][]) => mark(layer, "box", points);
const withIou = (marks: Mark[], value: number): Talk => ({
  ...talk([turn(3)], "", marks),
  numbers: [{ name: "IoU", value, unit: "" }],
});
const TRUTH: [number, number][] = [
  [10, 30],
  [20, 10],
];

test("a box around the ground truth is said to contain it, and how much larger it is", () => {
  const around: [number, number][] = [
    [0, 60],
    [70, 0],
  ];
  const said = apartOf(withIou([box("truth", TRUTH), box("answer", around)], 200 / 4200));
  expect(said).toBe("IoU 0.048; it contains the ground truth, 21 times its area");
  const inside = apartOf(withIou([box("truth", around), box("answer", TRUTH)], 200 / 4200));
  expect(inside).toBe("IoU 0.048; it lies inside the ground truth, 0.048 times its area");
});

test("boxes apart do not overlap; of boxes that overlap in part, IoU alone is told", () => {
  const far: [number, number][] = [
    [40, 30],
    [50, 10],
  ];
  expect(apartOf(withIou([box("truth", TRUTH), box("answer", far)], 0))).toBe("IoU 0.000; the boxes do not overlap");
  const shifted: [number, number][] = [
    [15, 30],
    [25, 10],
  ];
  expect(apartOf(withIou([box("truth", TRUTH), box("answer", shifted)], 1 / 3))).toBe("IoU 0.333");
});

test("lines are as far off as their centres, in millimetres; nothing is told where one is missing", () => {
  const truth = mark("truth", "line", [
    [0, 0],
    [10, 0],
  ]);
  const answer = mark("answer", "line", [
    [3, 4],
    [13, 4],
  ]);
  const made = talk([turn(3)], "", [truth, answer]);
  const { pixel_width_mm: width, pixel_height_mm: height } = made.scene?.shown ?? {
    pixel_width_mm: 0,
    pixel_height_mm: 0,
  };
  expect(apartOf(made)).toBe(`${Math.hypot(3 * width, 4 * height).toFixed(1)} mm from the true centre`);
  expect(apartOf(talk([turn(3)], "", [truth]))).toBe("");
  expect(apartOf(talk([turn(3)], "", [truth, mark("answer", "point", [[1, 1]])]))).toBe("");
});
