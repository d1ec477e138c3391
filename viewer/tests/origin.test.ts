import { expect, test } from "vitest";
import { numbersOf, originOf } from "../src/origin";
import { mark, talk, turn } from "./made";

const turns = [turn(3, '{"mm": 30.04}'), turn(5, '{"mm": 21.96}'), turn(7)];

test("the answer comes from the mark that has its points", () => {
  const line = mark("answer", "line", [
    [5, 5],
    [1, 1.2],
  ]);
  const marks = [
    mark(
      "tool",
      "line",
      [
        [1, 1],
        [5, 5],
      ],
      3,
    ),
    mark(
      "tool",
      "line",
      [
        [2, 2],
        [9, 9],
      ],
      5,
    ),
    line,
  ];
  expect(originOf(talk(turns, "22 mm", marks))).toEqual({ turn: 3, call: 3, tool: "ruler", by: "points" });
});

test("an axis of an ellipse that a tool found counts as its points", () => {
  const ellipse = mark(
    "tool",
    "ellipse",
    [
      [0, 5],
      [10, 5],
      [5, 2],
      [5, 8],
    ],
    5,
  );
  const origin = originOf(
    talk(turns, "6 mm", [
      ellipse,
      mark("answer", "line", [
        [5, 2],
        [5, 8],
      ]),
    ]),
  );
  expect(origin?.turn).toBe(5);
});

test("boxes are compared by their corners, whichever two were given", () => {
  const box = mark(
    "tool",
    "box",
    [
      [10, 2],
      [2, 10],
    ],
    3,
  );
  expect(
    originOf(
      talk(turns, "", [
        box,
        mark("answer", "box", [
          [2, 2],
          [10, 10],
        ]),
      ]),
    )?.turn,
  ).toBe(3);
});

test("without marks, the last call that has all numbers as rounded in the answer", () => {
  expect(originOf(talk(turns, "22.0 mm"))).toEqual({ turn: 5, call: 5, tool: "ruler", by: "number" });
  expect(originOf(talk(turns, "22.1 mm"))).toEqual({ turn: 7, call: undefined, tool: "", by: "itself" });
});

test("a number of one digit is in every result, and shows nothing", () => {
  expect(originOf(talk([turn(3, '{"x": 5}'), turn(5)], "5 mm"))?.by).toBe("itself");
});

test("digits are counted as a reader counts them", () => {
  expect(numbersOf("0.050, -12.3 and 7").map((one) => [one.value, one.decimals, one.digits])).toEqual([
    [0.05, 3, 2],
    [-12.3, 1, 3],
    [7, 0, 1],
  ]);
});
