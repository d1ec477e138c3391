import { h, render } from "preact";
import { afterEach, expect, test } from "vitest";
import type { Arm, Scope } from "../src/data/scope";
import { ArmPicker } from "../src/pages/ArmPicker";

const arms: Arm[] = Array.from({ length: 12 }, (_, k) => ({
  ...{ key: `arm ${k}`, name: `arm ${k}`, model: "m", condition: `c${k}`, colour: "#ffffff", runs: [] },
}));

afterEach(() => {
  render(null, document.body);
  location.hash = "";
});

function picker(count: number, chosen: number[]): HTMLElement {
  const own = arms.slice(0, count);
  const scope: Scope = { title: "s", study: "s1", sources: [], arms: own, before: own[0], after: own[1], settings: {} };
  const of = chosen.flatMap((k) => own[k] ?? []);
  render(
    h(ArmPicker, { scope, arms: of, open: of[0]?.key ?? "", setOpen: () => undefined, settings: {} }),
    document.body,
  );
  return document.body;
}

test("up to eight arms stand in the open; more are in a menu that is closed and names those chosen", () => {
  const few = picker(8, [0, 1]);
  expect(few.querySelector("details")).toBeNull();
  expect(few.querySelectorAll("input[type=checkbox]")).toHaveLength(8);
  const many = picker(9, [0, 8]);
  expect(many.querySelector("details")?.open).toBe(false);
  expect(many.querySelector("summary")?.textContent).toBe("Side by side: arm 0, arm 8 (choose from 9 arms)");
  expect(many.querySelectorAll("details input[type=checkbox]")).toHaveLength(9);
});

test("in the menu, those chosen are ticked, and where the most are chosen the others cannot be", () => {
  const boxes = (chosen: number[]) => [...picker(12, chosen).querySelectorAll<HTMLInputElement>("input")];
  const two = boxes([3, 11]);
  expect(two.flatMap((one, k) => (one.checked ? [k] : []))).toEqual([3, 11]);
  expect(two.some((one) => one.disabled)).toBe(false);
  const four = boxes([0, 1, 2, 3]);
  expect(four.flatMap((one, k) => (one.disabled ? [] : [k]))).toEqual([0, 1, 2, 3]);
});

test("a tick in the menu puts the arm into the address, and the last one cannot be taken away", () => {
  location.hash = "#/sample?study=s1&id=a";
  picker(12, [3]).querySelectorAll<HTMLInputElement>("input")[7]?.click();
  expect(decodeURIComponent(location.hash)).toContain("arms=arm+3,arm+7");
  const before = location.hash;
  picker(12, [3]).querySelectorAll<HTMLInputElement>("input")[3]?.click();
  expect(location.hash).toBe(before);
});
