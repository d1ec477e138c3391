import { expect, test } from "vitest";
import { coloursOf } from "../src/data/useSample";

const arms = (...colours: string[]) =>
  colours.map((colour, k) => ({ key: `${k}`, name: `${k}`, model: "m", condition: "", colour, runs: [] }));

test("arms side by side have their own colours, and another one only where two have the same", () => {
  expect(coloursOf(arms("#6fb1f7", "#e58a1f"))).toEqual(["#6fb1f7", "#e58a1f"]);
  const found = coloursOf(arms("#6fb1f7", "#6fb1f7", "#f5e840", "#6fb1f7"));
  expect(found[0]).toBe("#6fb1f7");
  expect(found[2]).toBe("#f5e840");
  expect(new Set(found).size).toBe(4);
});
