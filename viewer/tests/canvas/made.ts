// Images and marks that tests make.
import type { Mark, Shown } from "../../src/forms";

export const shown = (more: Partial<Shown> = {}): Shown => ({
  name: "a",
  width: 60,
  height: 40,
  storage: "grey8",
  slope: 1,
  intercept: 0,
  unit: "",
  low: 0,
  high: 255,
  pixel_width_mm: 0.5,
  pixel_height_mm: 2,
  about: "",
  ...more,
});
export const mark = (more: Partial<Mark>): Mark => ({
  layer: "tool",
  kind: "line",
  points: [],
  name: "ruler",
  value: "",
  turn: 3,
  call: 1,
  tool: "ruler",
  ...more,
});
