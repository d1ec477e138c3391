import { expect, test } from "vitest";
import { runOf, update, wordAt } from "../src/data/columns";
import { counts, disagrees, rangeOf, view } from "../src/data/filter";
import type { Arm } from "../src/data/scope";
import { ownText, rowOf, textAt } from "../src/data/side";
import { tableOf } from "../src/data/table";
import { rowsOf } from "./made";

const arm = (key: string, runs: string[]): Arm => ({
  key,
  name: key,
  model: "m",
  condition: key,
  colour: "#ffffff",
  runs,
});
const off = [
  { id: "a", loss: 0.2 },
  { id: "b", loss: 0.5, task: "angle" },
  { id: "c", loss: 0.9 },
  { id: "d", loss: null, outcome: "timeout" },
];
const on = [
  { id: "c", loss: 0.1, tools: "ruler crop", text: "The Liver" },
  { id: "b", loss: 1, task: "angle", tools: "crop", outcome: "no_answer", cost: 0.5 },
  { id: "a", loss: 0.25, tools: "ruler", place: "too_large" },
  { id: "d", loss: 0.3 },
];
const runs = new Map([
  ["r1", runOf(rowsOf("r1", off))],
  ["r2", runOf(rowsOf("r2", on))],
]);
const table = tableOf(arm("on", ["r2"]), arm("off", ["r1"]), (key) => runs.get(key));
const ids = (settings: Record<string, string>) => [...view(table, settings)].map((line) => table.ids[line]).join("");

test("samples are joined by id, whatever their order", () => {
  expect(table.ids.join("")).toBe("abcd");
  expect([...table.difference].map((value) => +value.toFixed(2))).toEqual([0.05, 0.5, -0.8, NaN]);
});

test("the worst harm stands first, what has no difference last, in either direction", () => {
  expect(ids({})).toBe("bacd");
  expect(ids({ turned: "1" })).toBe("cabd");
});

test("every filter leaves what it names", () => {
  expect(ids({ task: "angle" })).toBe("b");
  expect(ids({ tool: "crop" })).toBe("bc");
  expect(ids({ tool: "cro" })).toBe("");
  expect(ids({ outcome: "no_answer" })).toBe("b");
  expect(ids({ elsewhere: "1" })).toBe("a");
  expect(ids({ "in-difference": "0.1..", q: "" })).toBe("b");
  expect(ids({ "in-loss": "..0.3", sort: "order" })).toBe("acd");
  expect(ids({ "in-cost": "0.4..0.6" })).toBe("b");
  expect(ids({ differ: "1" })).toBe("bcd");
  expect(ids({ q: "liver the" })).toBe("c");
  expect(ids({ sort: "nothing known" })).toBe("bacd");
});

test("arms disagree by outcome or by loss", () => {
  expect(table.ids.map((_, line) => disagrees(table, line))).toEqual([false, true, true, true]);
});

test("counts say which way, and leave out what cannot be compared", () => {
  expect(counts(table, view(table, {}))).toEqual({ worse: 2, better: 1, same: 0, open: 1 });
});

test("a range that is no range bounds nothing", () => {
  expect(rangeOf("x..")).toBeUndefined();
  expect(rangeOf("0.5")).toEqual([0.5, Infinity]);
  expect(rangeOf("-1..2")).toEqual([-1, 2]);
});

test("a line of an arm with several runs has their means and all that came out, not what the first run says", () => {
  const three = new Map([
    ["r1", runOf(rowsOf("r1", [{ id: "a", loss: null, outcome: null, place: null, text: "nothing" }]))],
    ["r2", runOf(rowsOf("r2", [{ id: "a", loss: 0.4, outcome: "refused", place: null, text: "first" }]))],
    ["r3", runOf(rowsOf("r3", [{ id: "a", loss: 0.8, tools: "ruler crop", place: "elsewhere", text: "second" }]))],
  ]);
  Object.assign(three.get("r2")?.lists.tool_errors ?? [], [2]);
  Object.assign(three.get("r3")?.lists.calls ?? [], [4]);
  Object.assign(three.get("r3")?.lists.forced ?? [], [1]);
  const joined = tableOf(arm("on", ["r1", "r2", "r3"]), undefined, (key) => three.get(key));
  const { side } = joined;
  expect(side.loss[0]).toBeCloseTo(0.6);
  expect([textAt(side.outcome, 0), textAt(side.place, 0)]).toEqual(["answered refused", "elsewhere right"]);
  expect(textAt(side.tools, 0)).toBe("crop ruler");
  expect([side.calls[0], side.errors[0], side.forced[0]]).toEqual([2.5, 2, 1]);
  expect(ownText(side, 0, "text")).toBe("first");
  expect(rowOf(side, 0)?.run.key).toBe("r2");
  expect(joined.difference[0]).toBeNaN();
  for (const settings of [{ outcome: "refused" }, { outcome: "answered" }, { elsewhere: "1" }, { error: "1" }])
    expect(view(joined, settings)).toHaveLength(1);
  expect(view(joined, { q: "second" })).toHaveLength(1);
  expect(view(joined, { outcome: "answered refused" })).toHaveLength(0);
});

test("free text is found in every line that has all of its words, and never across two lines", () => {
  const said = ["über the liver", "the", "", "LIVER, the"].map((text, k) => ({ id: `s${k}`, loss: 0, text }));
  const one = new Map([["r1", runOf(rowsOf("r1", said))]]);
  const joined = tableOf(arm("on", ["r1"]), undefined, (key) => one.get(key));
  const lines = (q: string) => [...view(joined, { q, sort: "order" })];
  expect([lines("the liver"), lines("Über"), lines("s"), lines("s2"), lines("thes2"), lines("zz")]).toEqual([
    ...[[0, 1, 3], [0], [0, 1, 2, 3], [2], [], []],
  ]);
});

test("changed rows replace the old ones, new ones are added, and new words are learned", () => {
  const run = runOf(
    rowsOf("r1", [
      { id: "a", loss: null, outcome: null },
      { id: "b", loss: 0.5 },
    ]),
  );
  const changed = rowsOf(
    "r1",
    [
      { id: "z", loss: 0.7, outcome: "refused" },
      { id: "a", loss: 0.1 },
    ],
    7,
    [2, 0],
  );
  expect(update(run, changed)).toBe(2);
  expect([run.lists.id, run.lists.loss, run.stamp]).toEqual([["a", "b", "z"], [0.1, 0.5, 0.7], 7]);
  expect([0, 1, 2].map((at) => wordAt(run.words.outcome, at))).toEqual(["answered", "answered", "refused"]);
});

test("a hundred thousand samples are filtered within the time of a few frames", () => {
  const n = 100_000;
  const many = (seed: number) =>
    Array.from({ length: n }, (_, k) => ({ id: `s${k}`, loss: ((k * seed) % 997) / 997, text: `words of ${k}` }));
  const large = new Map([
    ["r1", runOf(rowsOf("r1", many(7)))],
    ["r2", runOf(rowsOf("r2", many(13)))],
  ]);
  const joined = tableOf(arm("on", ["r2"]), arm("off", ["r1"]), (key) => large.get(key));
  view(joined, { q: "x" }); // what is searched is put together once, and the order is made once
  const times = [{ "in-loss": "0.5.." }, { q: "words 77" }, { task: "size", differ: "1" }].map((settings) => {
    const start = performance.now();
    view(joined, settings);
    return performance.now() - start;
  });
  console.log(`filtering ${n} samples: ${times.map((time) => `${time.toFixed(1)} ms`).join(", ")}`);
  expect(joined.ids.length).toBe(n);
}, 60_000);
