// @vitest-environment node
import { deflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { around, between, panned, pinched, windowed } from "../../src/canvas/pointer";
import { bytesOfDataUrl, readPng } from "../../src/canvas/png";
import { greys, nativeOf, valueAt, valuesOf, written } from "../../src/canvas/values";
import { shown } from "./made";

/** A PNG file whose lines use one filter each, in turn. */
function png(width: number, height: number, channels: 1 | 3, bytes: Uint8Array, filters: number[]): Uint8Array {
  const row = width * channels;
  const lines = Buffer.alloc(height * (row + 1));
  for (let y = 0; y < height; y++) {
    const filter = filters[y % filters.length] ?? 0;
    lines[y * (row + 1)] = filter;
    for (let x = 0; x < row; x++) {
      const left = x >= channels ? (bytes[y * row + x - channels] ?? 0) : 0;
      const above = y ? (bytes[(y - 1) * row + x] ?? 0) : 0;
      const corner = y && x >= channels ? (bytes[(y - 1) * row + x - channels] ?? 0) : 0;
      const guess = [0, left, above, Math.floor((left + above) / 2), paeth(left, above, corner)][filter] ?? 0;
      lines[y * (row + 1) + 1 + x] = ((bytes[y * row + x] ?? 0) - guess + 256) % 256;
    }
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, channels === 1 ? 0 : 2, 0, 0, 0], 8);
  const packed = deflateSync(lines);
  const half = Math.floor(packed.length / 2); // two chunks, as writers may
  const chunks = [
    ["IHDR", head],
    ["IDAT", packed.subarray(0, half)],
    ["IDAT", packed.subarray(half)],
    ["IEND", Buffer.alloc(0)],
  ] as const;
  const parts = chunks.map(([kind, data]) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    return Buffer.concat([length, Buffer.from(kind), data, Buffer.alloc(4)]);
  });
  return new Uint8Array(Buffer.concat([Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), ...parts]));
}

function paeth(a: number, b: number, c: number): number {
  const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

function noise(count: number, seed: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length: count }, () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state >> 16;
  });
}

describe("the stored numbers of a picture", () => {
  it("are read exactly, whatever the filter of a line", async () => {
    for (const channels of [1, 3] as const) {
      const bytes = noise(13 * 11 * channels, 7);
      const found = await readPng(png(13, 11, channels, bytes, [0, 1, 2, 3, 4]));
      expect(found).toMatchObject({ width: 13, height: 11, channels });
      expect(found.bytes).toEqual(bytes);
    }
  });

  it("come out of a text of a bundle", async () => {
    const file = png(2, 1, 1, Uint8Array.of(3, 250), [0]);
    const text = `data:image/png;base64,${Buffer.from(file).toString("base64")}`;
    expect((await readPng(bytesOfDataUrl(text))).bytes).toEqual(Uint8Array.of(3, 250));
  });

  it("are refused where a file is none, or is cut", async () => {
    const file = png(9, 9, 1, noise(81, 3), [4]);
    await expect(readPng(Uint8Array.of(1, 2, 3))).rejects.toThrow("no PNG");
    await expect(readPng(file.subarray(0, 60))).rejects.toThrow("incomplete");
    await expect(readPng(png(3, 3, 1, noise(9, 1), [7]))).rejects.toThrow("damaged");
    const wide = png(2, 2, 1, noise(4, 1), [0]);
    new DataView(wide.buffer).setUint32(16, 3);
    await expect(readPng(wide)).rejects.toThrow();
  });
});

const hu = shown({ storage: "packed16", slope: 1, intercept: -1024, unit: "HU", low: -160, high: 240 });

describe("native values", () => {
  it("stand in two bytes", async () => {
    const bytes = new Uint8Array(60 * 40 * 3);
    bytes.set([4, 40, 0], 3 * (60 * 7 + 5)); // column 5, row 7: 1064
    const values = valuesOf(hu, await readPng(png(60, 40, 3, bytes, [0])));
    expect(valueAt(values, 5.9, 7.1)).toBe(40);
    expect(valueAt(values, 4.999, 7.1)).toBe(-1024);
    expect(valueAt(values, -0.01, 3)).toBeNull();
    expect(valueAt(values, 60, 3)).toBeNull();
  });

  it("are refused where the picture is another", () => {
    expect(() => valuesOf(hu, { width: 1, height: 1, channels: 3, bytes: new Uint8Array(3) })).toThrow("not the one");
    expect(() => valuesOf(hu, { width: 60, height: 40, channels: 1, bytes: new Uint8Array(2400) })).toThrow(
      "not the one",
    );
  });

  it("are floats of 32 bits", () => {
    expect(nativeOf(shown({ slope: 0.1 }), 3)).toBe(Math.fround(0.3));
  });

  it("are written with their unit", () => {
    expect(written(-54, "HU")).toBe("−54 HU");
    expect(written(12.3456789, "")).toBe("value 12.346");
    expect(written(107, "grey level")).toBe("grey level 107");
  });
});

describe("a window", () => {
  it("clips, scales and truncates as the recipe does", () => {
    const table = greys(hu, { low: -160, high: 240 });
    const expected = (value: number): number =>
      Math.trunc(Math.fround(Math.fround((Math.min(Math.max(value, -160), 240) + 160) / 400) * 255));
    for (const value of [-1024, -161, -160, -159, 0, 39, 40, 41, 239, 240, 241, 3000])
      expect(table[value + 1024]).toBe(expected(value));
    expect([table[0], table[40 + 1024], table[3000]]).toEqual([0, 127, 255]);
  });

  it("shows 8 bits as they are through 0 to 255, and all black where it is empty", () => {
    expect([...greys(shown(), { low: 0, high: 255 })]).toEqual(Array.from({ length: 256 }, (_, at) => at));
    expect(Math.max(...greys(shown(), { low: 9, high: 9 }))).toBe(0);
  });

  it("is widened and moved by a drag", () => {
    const window = around(40, 400);
    expect(window).toEqual({ low: -160, high: 240 });
    const wider = windowed(window, 220, 0, 1);
    expect(wider.high - wider.low).toBeCloseTo(400 * Math.E);
    const higher = windowed(window, 0, 440, 2);
    expect((higher.low + higher.high) / 2).toBeCloseTo(440);
  });
});

describe("two fingers", () => {
  it("zoom and move, and the image stays under them", () => {
    const camera = { x: 10, y: 20, zoom: 2 };
    const [middle, apart] = between([100, 100], [200, 100]);
    const after = pinched({ kind: "pinch", apart, middle, camera }, [100, 200], [300, 200]);
    expect(after.zoom).toBe(4);
    // What was under the middle, (150, 100), is now under (200, 200).
    expect((150 - camera.x) / camera.zoom).toBe((200 - after.x) / after.zoom);
    expect((100 - camera.y) / camera.zoom).toBe((200 - after.y) / after.zoom);
    expect(panned(camera, [1, 1], [4, 0])).toEqual({ x: 13, y: 19, zoom: 2 });
  });
});
