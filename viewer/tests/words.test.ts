import { expect, test } from "vitest";
import { flat } from "../src/parts/Values";
import { link, read } from "../src/route";
import { decimal, dollars, percent, pretty, signed } from "../src/text";

test("numbers: no negative zero, no sign where nothing differs, a dash where nothing is known", () => {
  expect([decimal(-0.001), signed(0.001), signed(0.5), signed(-0.5), decimal(null), decimal(NaN)]).toEqual([
    "0.00",
    "0.00",
    "+0.50",
    "−0.50",
    "–",
    "–",
  ]);
  expect([percent(0.125), dollars(0.00123), dollars(0), dollars(1.5)]).toEqual(["13%", "$0.0012", "$0.00", "$1.50"]);
});

test("a hash is read as it was written, whatever its texts hold", () => {
  const settings = { study: "s1", id: "a&b=c#?/ü 1,2", q: "<b>" };
  expect(read(link("sample", settings))).toEqual({ page: "sample", settings });
  expect(read("#/nowhere?x=1").page).toBe("home");
  expect(link("samples", { run: "r1", q: "", task: undefined })).toBe("#/samples?run=r1");
});

test("values are a list only where they are flat; what is no JSON stays as it is", () => {
  expect(flat('{"a": 1, "b": "x"}')).toEqual([
    ["a", "1"],
    ["b", "x"],
  ]);
  expect([flat('{"a": [1]}'), flat("[1]"), flat("no json"), flat('{"a": "x\\ny"}')]).toEqual(Array(4).fill(undefined));
  expect(pretty("{broken")).toBe("{broken");
});
