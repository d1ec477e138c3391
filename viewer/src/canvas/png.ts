// The stored numbers of a picture, exactly. A browser may change the pixels that it reads back from a canvas (colour
// profiles, protection against fingerprints), and a changed number would be a wrong value: so the file itself is read.
// Only what this program writes is read: 8 bits, grey or RGB, not interlaced.

export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** 1 or 3. */
  readonly channels: number;
  readonly bytes: Uint8Array;
}

const MOST = 1 << 26;
const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];

/** Read a PNG file; throws an Error that says what is wrong with it. */
export async function readPng(file: Uint8Array): Promise<Pixels> {
  if (SIGNATURE.some((byte, at) => file[at] !== byte)) throw new Error("the image is no PNG file");
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const packed: Uint8Array[] = [];
  let head: DataView | null = null;
  for (let at = 8; at + 12 <= file.length;) {
    const length = view.getUint32(at);
    const kind = String.fromCharCode(...file.subarray(at + 4, at + 8));
    if (at + 12 + length > file.length) throw new Error("the image file is incomplete");
    if (kind === "IHDR") head = new DataView(file.buffer, file.byteOffset + at + 8, length);
    if (kind === "IDAT") packed.push(file.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  if (!head || head.byteLength < 13) throw new Error("the image file has no head");
  const [width, height, colour] = [head.getUint32(0), head.getUint32(4), head.getUint8(9)];
  const channels = colour === 0 ? 1 : colour === 2 ? 3 : 0;
  if (head.getUint8(8) !== 8 || !channels || head.getUint8(12) !== 0)
    throw new Error("the image file has another form");
  if (!width || !height || width * height > MOST) throw new Error("the image is too large");
  const lines = await inflated(packed, height * (1 + width * channels));
  return { width, height, channels, bytes: unfiltered(lines, width, height, channels) };
}

async function inflated(packed: Uint8Array[], expected: number): Promise<Uint8Array> {
  const stream = new Blob(packed as BlobPart[]).stream().pipeThrough(new DecompressionStream("deflate"));
  const reader = stream.getReader();
  const out = new Uint8Array(expected);
  let filled = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (filled + value.length > expected) throw new Error("the image file holds too much");
    out.set(value, filled);
    filled += value.length;
  }
  if (filled !== expected) throw new Error("the image file is incomplete");
  return out;
}

/** Undo the filters of the lines of a PNG (none, left, above, mean, Paeth). */
function unfiltered(lines: Uint8Array, width: number, height: number, channels: number): Uint8Array {
  const row = width * channels;
  const out = new Uint8Array(row * height);
  for (let y = 0; y < height; y++) {
    const filter = lines[y * (row + 1)] ?? 0;
    if (filter > 4) throw new Error("the image file is damaged");
    for (let x = 0; x < row; x++) {
      const at = y * row + x;
      const left = x >= channels ? (out[at - channels] ?? 0) : 0;
      const above = y > 0 ? (out[at - row] ?? 0) : 0;
      const corner = x >= channels && y > 0 ? (out[at - row - channels] ?? 0) : 0;
      out[at] = (lines[y * (row + 1) + 1 + x] ?? 0) + predicted(filter, left, above, corner);
    }
  }
  return out;
}

function predicted(filter: number, left: number, above: number, corner: number): number {
  if (filter === 0) return 0;
  if (filter === 1) return left;
  if (filter === 2) return above;
  if (filter === 3) return (left + above) >> 1;
  const [a, b, c] = [Math.abs(above - corner), Math.abs(left - corner), Math.abs(left + above - 2 * corner)];
  return a <= b && a <= c ? left : b <= c ? above : corner;
}

/** The bytes of a text `data:image/png;base64,...`, as a bundle holds an image. */
export function bytesOfDataUrl(text: string): Uint8Array {
  return Uint8Array.from(atob(text.slice(text.indexOf(",") + 1)), (one) => one.charCodeAt(0));
}
