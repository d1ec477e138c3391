import { expect, test } from "vitest";
import { flat } from "../src/parts/Values";
import { isSlight } from "../src/parts/numbers";
import { link, read } from "../src/route";
import { decimal, dollars, percent, pretty, signed, unlike } from "../src/text";

test("numbers: no negative zero, no sign where nothing differs, a dash where nothing is known", () => {
  expect([decimal(-0.0001), signed(0), signed(0.5), signed(-0.5), decimal(null), decimal(NaN)]).toEqual([
    "0.000",
    "0.000",
    "+0.500",
    "−0.500",
    "–",
    "–",
  ]);
  expect([percent(0.125), dollars(0.00123), dollars(0), dollars(1.5)]).toEqual(["12.5%", "$0.0012", "$0.00", "$1.50"]);
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

test("losses and differences have three decimals; what is not zero is not written as zero", () => {
  expect([decimal(0.1), decimal(0.9534), decimal(1), decimal(0)]).toEqual(["0.100", "0.953", "1.000", "0.000"]);
  expect([signed(0.0136), signed(-0.0001), signed(0.0004), signed(-0.2274)]).toEqual([
    "+0.014",
    "−<0.001",
    "+<0.001",
    "−0.227",
  ]);
  expect([isSlight(0.0004), isSlight(-0.0004), isSlight(0), isSlight(0.0006), isSlight(null)]).toEqual([
    ...[true, true, true, false, false],
  ]);
});

test("a long name loses its beginning where the names around it have the same", () => {
  expect(unlike("MiniTumor_BoxSize_Task03_Axial_Test-1", ["MiniTumor_BoxSize_Task03_Axial_Test-0"])).toBe(
    "Mini…Axial_Test-1",
  );
  expect(unlike("pyrad_brain1_z16__size_tumour", ["pyrad_brain1_z16__det_tumour", "mni"])).toBe(
    "pyra…_z16__size_tumour",
  );
  expect(unlike("pyrad_brain1_z16__size_tumour", ["mni_T1w"])).toBe("pyrad_brain1_z16__size_tumour");
  expect(unlike("sample-00005", ["sample-00006"])).toBe("sample-00005");
});
