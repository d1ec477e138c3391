import { expect, test } from "vitest";
import { flat } from "../src/parts/Values";
import { link, read } from "../src/route";
import { compared, decimal, dollars, percent, pretty, signed, unlike } from "../src/text";

test("numbers: no negative zero, no sign where nothing differs, a dash where nothing is known", () => {
  expect([decimal(-0.001), signed(0), signed(0.5), signed(-0.5), decimal(null), decimal(NaN)]).toEqual([
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

test("two losses and their difference add up as they are written; what is not zero is not written as zero", () => {
  const said = (before: number, after: number) => Object.values(compared(before, after));
  expect(said(0.1, 0.9)).toEqual(["0.10", "0.90", "+0.80"]);
  expect(said(0.954, 0.968)).toEqual(["0.954", "0.968", "+0.014"]);
  expect(said(0.9514, 0.9706)).toEqual(["0.9514", "0.9706", "+0.0192"]);
  expect(said(0.5, 0.50001)).toEqual(["0.500", "0.500", "+<0.001"]);
  expect(said(0.50001, 0.5)).toEqual(["0.500", "0.500", "−<0.001"]);
  expect(said(0.315334, 0.542674)).toEqual(["0.3153", "0.5427", "+0.2274"]);
  expect(unlike("MiniTumor_BoxSize_Task03_Axial_Test-1", ["MiniTumor_BoxSize_Task03_Axial_Test-0"])).toBe(
    "Mini…Axial_Test-1",
  );
  expect(said(0.25, 0.25)).toEqual(["0.25", "0.25", "0.00"]);
  expect([signed(0.001), signed(-0.0001, 3), signed(0.0004, 3)]).toEqual(["+<0.01", "−<0.001", "+<0.001"]);
  for (let k = 0; k < 500; k++) {
    const [before, after] = [(k * 0.61803) % 1, (k * 0.41421) % 1];
    const [a = 0, b = 0, change = 0] = said(before, after).map((text) => Number(text.replace("−", "-")));
    if (Math.abs(after - before) >= 0.001) expect(b - a).toBeCloseTo(change, 5);
  }
});

test("a long name loses its beginning where the names around it have the same", () => {
  expect(unlike("pyrad_brain1_z16__size_tumour", ["pyrad_brain1_z16__det_tumour", "mni"])).toBe(
    "pyra…_z16__size_tumour",
  );
  expect(unlike("pyrad_brain1_z16__size_tumour", ["mni_T1w"])).toBe("pyrad_brain1_z16__size_tumour");
  expect(unlike("sample-00005", ["sample-00006"])).toBe("sample-00005");
});
