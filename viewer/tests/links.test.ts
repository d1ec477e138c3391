import { expect, test } from "vitest";
import type { Scope } from "../src/data/scope";
import type { Effect } from "../src/forms";
import { armLink, harmLink, harmLinks } from "../src/parts/links";

const arm = (name: string, model: string) => ({
  key: `${name}@${model}`,
  name,
  model,
  condition: name,
  colour: "#ffffff",
  runs: [],
});
const effect = (model: string, primary = true): Effect => ({
  ...{
    task: "size",
    model,
    source: "",
    contrast: "off -> on",
    before: "off",
    after: "on",
    primary,
    effect: 0,
    low: 0,
    high: 0,
    worst: null,
  },
  ...{ pairs: 1, subjects: 1, wins: 0, ties: 1, losses: 0, elsewhere: null, cost_ratio: null, claim: false },
  why_not: "",
});
const scopeOf = (models: string[]): Scope => {
  const arms = models.flatMap((model) => [arm("off", model), arm("on", model)]);
  return { title: "s", study: "s1", sources: [], arms, before: arms[0], after: arms[1], settings: { study: "s1" } };
};

test("each model of a study has its own way to the samples that were harmed most, over all tasks", () => {
  const ways = harmLinks(scopeOf(["m", "n"]), [effect("m"), effect("n", false), effect("n")]);
  expect(ways.map((one) => one.title)).toEqual(["“on” harmed most (m)", "“on” harmed most (n)"]);
  expect(ways.map((one) => one.href)).toEqual([
    "#/samples?study=s1&arm=on%40m&against=off%40m&sort=difference",
    "#/samples?study=s1&arm=on%40n&against=off%40n&sort=difference",
  ]);
  expect(harmLinks(scopeOf(["m"]), []).map((one) => one.title)).toEqual(["“on” harmed most"]);
});

test("each way says by how much one sample is harmed at most, and the largest harm comes first", () => {
  const scope = scopeOf(["m", "n"]);
  const effects = [
    { ...effect("m"), worst: 0.0002 },
    { ...effect("n"), worst: 0.013 },
    { ...effect("n"), worst: -1 },
  ];
  expect(harmLinks(scope, effects).map((one) => one.title)).toEqual([
    "“on” harmed most (n): +0.013",
    "“on” harmed most (m): +<0.001",
  ]);
  const one = scopeOf(["m"]);
  const titles = (worst: number | null) => harmLinks(one, [{ ...effect("m"), worst }]).map(({ title }) => title);
  expect([titles(0.5), titles(0), titles(-0.1), titles(null)].flat()).toEqual([
    "“on” harmed most: +0.500",
    "“on” harmed most: none",
    "“on” harmed most: none",
    "“on” harmed most",
  ]);
});

test("an effect on one of several sources leads to the samples of that source alone", () => {
  const scope = scopeOf(["m"]);
  expect(harmLink(scope, { ...effect("m"), source: "phantom:3:2" })).toBe(
    "#/samples?study=s1&source=phantom%3A3%3A2&arm=on%40m&against=off%40m&task=size&sort=difference",
  );
  expect(harmLink(scope, effect("m"))).not.toContain("source");
  expect(armLink(scope, "on@m", "size", "demo")).toContain("source=demo");
  expect(harmLinks(scope, [{ ...effect("m"), source: "demo" }])[0]?.href).not.toContain("source");
});
