// Painting the canvas, in device pixels: the image, the marks with a dark halo that shows them on any grey, their labels,
// the reader's own line and the scale bar.
import { millimetres, roundLength, scales, strokes, toCanvas, type Camera, type Size, type XY } from "./geometry";
import { anchorsOf, ringOf, roomFor, type Rect } from "./labels";
import { dashOf, isLit, labelOf, type Chosen, type Placed } from "./marks";
import type { Shown } from "../forms";

export interface Picture {
  readonly shown: Shown;
  readonly image: CanvasImageSource | null;
  readonly camera: Camera;
  readonly marks: readonly Placed[];
  readonly chosen: Chosen | null;
  readonly pinned: string | null;
  /** Key of the mark under the pointer, or focused in the table. */
  readonly looked: string | null;
  readonly own: readonly [XY, XY] | null;
  /** The cross-hair that the keyboard moves. */
  readonly hair: XY | null;
  readonly labels: boolean;
  /** Device pixels of a CSS pixel. */
  readonly ratio: number;
}

const GROUND = "#0a0c0f";
const HALO = "rgba(0, 0, 0, 0.7)";
const PLATE = "rgba(8, 10, 14, 0.78)";
const OWN = "#f2f230";
const LONGEST = 34;
const FADED = 0.28;
const ASIDE = 0.6;
/** Share of the canvas that the ground truth may take and still be kept free of labels. */
const MOST_KEPT = 0.4;
const RANK = ["answer", "truth", "tool", "view"];

export function draw(context: CanvasRenderingContext2D, canvas: Size, picture: Picture): void {
  const { shown, image, camera, marks, ratio } = picture;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.globalAlpha = 1;
  context.fillStyle = GROUND;
  context.fillRect(0, 0, canvas.width, canvas.height);
  const [sx, sy] = scales(shown, camera.zoom);
  const [x, y] = toCanvas(shown, camera, [0, 0]);
  if (image) {
    context.imageSmoothingEnabled = Math.min(sx, sy) < 1;
    context.imageSmoothingQuality = "high";
    context.drawImage(image, x, y, shown.width * sx, shown.height * sy);
  }
  const lit = (one: Placed): boolean => one.key === picture.looked || isLit(one, picture.pinned, picture.chosen);
  const someChosen = marks.some((one) => isLit(one, picture.pinned, picture.chosen));
  const last = [...marks].sort((a, b) => rank(b, lit(b)) - rank(a, lit(a)));
  for (const one of last) {
    const away = someChosen && !lit(one) && one.mark.layer !== "truth";
    context.globalAlpha = away ? FADED : isAside(one) && !lit(one) ? ASIDE : 1;
    drawMark(context, picture, one, lit(one));
  }
  context.globalAlpha = 1;
  // Where an answer lies on the ground truth, both are seen.
  for (const one of marks) if (one.mark.layer === "truth" && one.mark.kind !== "point") dashes(context, picture, one);
  const taken: Rect[] = [];
  scaleBar(context, canvas, picture, taken);
  if (picture.hair) cross(context, toCanvas(shown, camera, picture.hair), OWN, 1.25 * ratio, ratio);
  if (picture.own) ownLine(context, canvas, picture, picture.own, taken);
  for (const one of marks)
    if (one.mark.layer === "truth" || one.mark.layer === "answer")
      for (const point of one.mark.points) taken.push(around(toCanvas(shown, camera, point), 4 * ratio));
  const kept = truthBox(canvas, picture);
  if (kept) taken.push(kept);
  const told = new Set<string>();
  if (picture.labels)
    for (const one of last.reverse())
      if (!someChosen || lit(one) || one.mark.layer === "truth")
        if (!told.has(once(one))) {
          told.add(once(one));
          label(context, canvas, labelOf(one), anchors(picture, one), one.colour, ratio, taken, kept);
        }
}

/** What is written once: the value of an answer not again beside the tool that measured it. */
const once = (one: Placed): string => `${one.arm} ${labelOf(one).replace(/^(answer|box) /, "")}`;

const around = ([x, y]: XY, room: number): Rect => ({ x: x - room, y: y - room, width: 2 * room, height: 2 * room });

const rank = (one: Placed, lit: boolean): number => (lit ? -1 : RANK.indexOf(one.mark.layer));

/** A region that a tool was given, or the box of what it found: beside what was measured. */
const isAside = ({ mark }: Placed): boolean => mark.layer === "tool" && mark.kind === "box";

function path(context: CanvasRenderingContext2D, points: readonly XY[]): void {
  context.beginPath();
  points.forEach(([x, y], at) => (at ? context.lineTo(x, y) : context.moveTo(x, y)));
}

function haloed(context: CanvasRenderingContext2D, colour: string, width: number, dash: number[]): void {
  context.lineJoin = "round";
  context.lineCap = "butt";
  context.setLineDash([]);
  context.strokeStyle = HALO;
  context.lineWidth = width + 2;
  context.stroke();
  context.setLineDash(dash);
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.stroke();
  context.setLineDash([]);
}

function drawMark(
  context: CanvasRenderingContext2D,
  { shown, camera, ratio }: Picture,
  one: Placed,
  lit: boolean,
): void {
  const { mark, colour } = one;
  const dash = dashOf(mark).map((part) => part * ratio);
  const thick = { truth: 1.5, answer: 2.25, tool: 1.25, view: 1 }[mark.layer];
  const width = (lit ? thick + 1 : thick) * ratio;
  for (const line of strokes(mark)) {
    const placed = line.map((point) => toCanvas(shown, camera, point));
    const [first] = placed;
    if (mark.kind === "point" && first) {
      cross(context, first, colour, width, ratio);
      continue;
    }
    path(context, placed);
    haloed(context, colour, width, dash);
    if (mark.kind === "line" || mark.kind === "angle") ends(context, placed, colour, width, ratio);
  }
}

function dashes(context: CanvasRenderingContext2D, { shown, camera, ratio }: Picture, one: Placed): void {
  for (const line of strokes(one.mark)) {
    path(
      context,
      line.map((point) => toCanvas(shown, camera, point)),
    );
    context.setLineDash(dashOf(one.mark).map((part) => part * ratio));
    context.strokeStyle = one.colour;
    context.lineWidth = 1.5 * ratio;
    context.stroke();
    context.setLineDash([]);
  }
}

/** Mark a point by four ticks, which leave it free. */
function cross(context: CanvasRenderingContext2D, [x, y]: XY, colour: string, width: number, ratio: number): void {
  const [near, far] = [3 * ratio, 9 * ratio];
  for (const [dx, dy] of [
    [1, 0],
    [-1, 0],
    [0, 1],
    [0, -1],
  ] as const) {
    // prettier-ignore
    path(context, [[x + dx * near, y + dy * near], [x + dx * far, y + dy * far]]); // prettier-ignore
    haloed(context, colour, width, []);
  }
}

/** Mark the ends of a measured line by ticks across it. */
function ends(
  context: CanvasRenderingContext2D,
  placed: readonly XY[],
  colour: string,
  width: number,
  ratio: number,
): void {
  const [a, b] = placed;
  if (!a || !b) return;
  const length = Math.hypot(b[0] - a[0], b[1] - a[1]) || 1;
  const [nx, ny] = [(-(b[1] - a[1]) / length) * 5 * ratio, ((b[0] - a[0]) / length) * 5 * ratio];
  for (const [x, y] of [a, b]) {
    path(context, [[x - nx, y - ny], [x + nx, y + ny]]); // prettier-ignore
    haloed(context, colour, width, []);
  }
}

const anchors = ({ shown, camera }: Picture, { mark }: Placed): XY[] =>
  anchorsOf(
    mark.kind,
    mark.points.map((point) => toCanvas(shown, camera, point)),
  );

function label(
  context: CanvasRenderingContext2D,
  canvas: Size,
  text: string,
  at: readonly XY[],
  colour: string,
  ratio: number,
  taken: Rect[],
  kept: Rect | null = null,
): void {
  if (!text) return;
  const told = text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
  const pad = 4 * ratio;
  context.font = `500 ${12 * ratio}px system-ui, sans-serif`;
  context.textBaseline = "middle";
  const size = { width: Math.ceil(context.measureText(told).width + 2 * pad), height: 18 * ratio };
  const beside = roomFor(at, size, canvas, taken, 7 * ratio);
  const place = beside ?? (kept && roomFor(ringOf(kept, 14 * ratio), size, canvas, taken, 7 * ratio));
  if (!place) return;
  taken.push(place);
  const [from] = at;
  if (!beside && from) leader(context, from, place, colour, ratio);
  context.fillStyle = PLATE;
  context.beginPath();
  context.roundRect(place.x, place.y, place.width, place.height, 3 * ratio);
  context.fill();
  context.fillStyle = colour;
  context.fillText(told, place.x + pad, place.y + place.height / 2 + 0.5 * ratio);
}

/** Where the ground truth lies, which no label may cover; none where that leaves too little room for labels. */
function truthBox(canvas: Size, { shown, camera, marks, ratio }: Picture): Rect | null {
  const points = marks
    .filter((one) => one.mark.layer === "truth")
    .flatMap((one) => strokes(one.mark).flat())
    .map((point) => toCanvas(shown, camera, point));
  if (!points.length) return null;
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const [x, y] = [Math.min(...xs) - 3 * ratio, Math.min(...ys) - 3 * ratio];
  const [width, height] = [Math.max(...xs) + 3 * ratio - x, Math.max(...ys) + 3 * ratio - y];
  return width * height > MOST_KEPT * canvas.width * canvas.height ? null : { x, y, width, height };
}

/** A thin line from a mark to its label. */
function leader(context: CanvasRenderingContext2D, [x, y]: XY, place: Rect, colour: string, ratio: number): void {
  const to: XY = [
    Math.min(Math.max(x, place.x), place.x + place.width),
    Math.min(Math.max(y, place.y), place.y + place.height),
  ];
  path(context, [[x, y], to]);
  context.setLineDash([]);
  context.strokeStyle = colour;
  context.lineWidth = 0.75 * ratio;
  context.stroke();
}

function ownLine(
  context: CanvasRenderingContext2D,
  canvas: Size,
  picture: Picture,
  own: readonly [XY, XY],
  taken: Rect[],
): void {
  const { shown, camera, ratio } = picture;
  const placed = own.map((point) => toCanvas(shown, camera, point));
  path(context, placed);
  haloed(context, OWN, 1.25 * ratio, []);
  ends(context, placed, OWN, 1.25 * ratio, ratio);
  label(context, canvas, `${millimetres(shown, own[0], own[1]).toFixed(2)} mm`, placed.reverse(), OWN, ratio, taken);
}

/** A bar of a round length in the lower left corner, with its length in mm. */
function scaleBar(
  context: CanvasRenderingContext2D,
  canvas: Size,
  { shown, camera, ratio }: Picture,
  taken: Rect[],
): void {
  const perMm = scales(shown, camera.zoom)[0] / shown.pixel_width_mm;
  const length = roundLength(Math.min(canvas.width / 4, 140 * ratio) / perMm);
  const [x, y, wide] = [12 * ratio, canvas.height - 12 * ratio, length * perMm];
  const tick = 5 * ratio;
  path(context, [[x, y - tick], [x, y], [x + wide, y], [x + wide, y - tick]]); // prettier-ignore
  haloed(context, "#ffffff", 1.5 * ratio, []);
  taken.push({ x: 0, y: y - 26 * ratio, width: x + wide + 8 * ratio, height: 38 * ratio });
  context.font = `500 ${12 * ratio}px system-ui, sans-serif`;
  context.textBaseline = "alphabetic";
  context.lineWidth = 3 * ratio;
  context.strokeStyle = HALO;
  const text = `${Number(length.toPrecision(6))} mm`;
  context.strokeText(text, x + 5 * ratio, y - 6 * ratio);
  context.fillStyle = "#ffffff";
  context.fillText(text, x + 5 * ratio, y - 6 * ratio);
}
