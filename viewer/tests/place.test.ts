import { expect, test } from "vitest";
import { factsOf } from "../src/facts";
import type { Mark, Talk } from "../src/forms";
import { originOf } from "../src/origin";
import { isWarning } from "../src/parts/Values";
import { isWrong, placeRule, placeSaid, placeShort } from "../src/place";
import { mark, talk, turn } from "./made";

const TRUTH = mark("truth", "box", [
  [10, 10],
  [20, 20],
]);
const box = (layer: Mark["layer"], x0: number, x1: number, at?: number) =>
  mark(layer, "box", [[x0, x0], [x1, x1]], at); // prettier-ignore
const boxed = (marks: Mark[], iou: number, result = "{}"): Talk => ({
  ...talk([turn(3, result), turn(5)], "", [TRUTH, ...marks]),
  numbers: [{ name: "IoU", value: iou, unit: "" }],
});

test("a box around the truth is too large, and never said to lie elsewhere", () => {
  const around = boxed([box("answer", 0, 50)], 0.04);
  expect(placeSaid("too_large", around)).toBe(
    "The box is far too large (IoU 0.040; it contains the ground truth, 25 times its area).",
  );
  expect([placeRule("too_large"), placeRule("elsewhere")]).toEqual([
    "By the rule, an IoU under 0.25 counts as the wrong place.",
    "",
  ]);
  expect(placeSaid("elsewhere", boxed([box("answer", 30, 40)], 0))).toBe(
    "That lies elsewhere than the ground truth (IoU 0.000; the boxes do not overlap).",
  );
  for (const place of ["too_large", "too_small", "partly", "wrong_ends", "wrong_lines", "right"])
    expect(`${placeSaid(place, around)}${placeShort(place)}`).not.toContain("elsewhere");
});

test("every place but the right and the unknown one is wrong, and a cell names several", () => {
  const places = ["elsewhere", "too_large", "too_small", "partly", "wrong_ends", "wrong_lines"];
  expect(places.every(isWrong)).toBe(true);
  expect(["right", "unknown", "", "toString"].some(isWrong)).toBe(false);
  expect(placeShort("right too_large")).toBe("right, too large");
  expect([placeSaid("", undefined), placeSaid("unknown", undefined)]).toEqual(["", ""]);
});

test("the facts of the call that an answer comes from are told, and no others", () => {
  const seed = (at: number, x: number): Mark => ({ ...mark("tool", "point", [[x, x]], at), name: "seed given" });
  const region = (x0: number, x1: number): Mark => ({ ...box("tool", x0, x1, 3), name: "region given" });
  const found = [box("tool", 30, 90, 3), box("answer", 30, 90)];
  const facts = (marks: Mark[], result: string) => {
    const made = boxed([...marks, ...found], 0, result);
    return factsOf(made, originOf(made));
  };
  const border = '{"touches_region_border": true}';
  expect(facts([seed(3, 40), region(25, 95)], border)).toEqual([
    "the seed lies outside the ground truth",
    "the region does not meet the ground truth",
    "the outline touches the region's border",
    "the box has 36 times the area of the ground truth",
  ]);
  expect(facts([seed(3, 15), seed(5, 40), region(5, 95)], '{"touches_region_border": false}')).toEqual([
    "the box has 36 times the area of the ground truth",
  ]);
  const around = boxed([box("answer", 0, 50)], 0.04); // its place says how large it is
  expect(factsOf(around, originOf(around))).toEqual([]);
});

test("a seed is inside an ellipse or outside of it", () => {
  const ellipse = mark("truth", "ellipse", [[0, 10], [20, 10], [10, 5], [10, 15]]); // prettier-ignore
  const told = (x: number, y: number) => {
    const seed = { ...mark("tool", "point", [[x, y]], 3), name: "seed given" };
    return factsOf(talk([turn(3, "{}")], "", [ellipse, seed]), { turn: 3, call: 3, tool: "ruler", by: "mark" });
  };
  expect([told(10, 14), told(1, 6)]).toEqual([[], ["the seed lies outside the ground truth"]]);
});

test("a result that touches the border of its region is a warning", () => {
  expect([isWarning("touches_region_border", "true"), isWarning("touches_region_border", "false")]).toEqual([
    ...[true, false],
  ]);
});
