// How far from the ground truth an answer was measured, from the marks of both on the canvas.
import type { Mark, Talk } from "./forms";
import { decimal } from "./text";

type XY = readonly [number, number];
/** Pixels by which a corner may stand out and still count as inside: points of files are rounded. */
const EDGE = 1e-3;

/** How far off an answer is, in words; empty where the points of either are not known. */
export function apartOf({ scene, numbers }: Talk): string {
  if (!scene) return "";
  const { pixel_width_mm: width, pixel_height_mm: height } = scene.shown;
  const box = [only(scene.marks, "truth"), only(scene.marks, "answer")];
  const iou = numbers.find((one) => one.name === "IoU")?.value;
  if (box[0] && box[1] && typeof iou === "number") return boxWords(box[0], box[1], iou);
  const [truth, answer] = [linePoints(scene.marks, "truth"), linePoints(scene.marks, "answer")];
  if (!truth.length || truth.length !== answer.length) return "";
  const [a, b] = [centre(truth), centre(answer)];
  return `${decimal(Math.hypot((b[0] - a[0]) * width, (b[1] - a[1]) * height), 1)} mm from the true centre`;
}

/** How many times the area of the ground truth a box has that is larger by a half or more; empty for others. */
export function timesOf({ scene }: Talk): string {
  const [truth, answer] = [only(scene?.marks ?? [], "truth"), only(scene?.marks ?? [], "answer")];
  const times = truth && answer ? areaOf(sides(answer)) / areaOf(sides(truth)) : 0;
  return times >= 1.5 && Number.isFinite(times) ? factor(times) : "";
}

/** The one box of a layer. */
function only(marks: readonly Mark[], layer: Mark["layer"]): readonly XY[] | undefined {
  const found = marks.filter((one) => one.layer === layer && one.kind === "box");
  return found.length === 1 && found[0]?.points.length === 2 ? found[0].points : undefined;
}

/** The ends of the lines of a layer. */
const linePoints = (marks: readonly Mark[], layer: Mark["layer"]): XY[] =>
  marks
    .filter((one) => one.layer === layer && (one.kind === "line" || one.kind === "angle"))
    .flatMap((one) => one.points);

function centre(points: readonly XY[]): XY {
  const mean = (axis: 0 | 1) => points.reduce((sum, point) => sum + point[axis], 0) / points.length;
  return [mean(0), mean(1)];
}

function boxWords(truth: readonly XY[], answer: readonly XY[], iou: number): string {
  const [t, a] = [sides(truth), sides(answer)];
  const words = [`IoU ${iou > 0 && iou < 0.0005 ? "<0.001" : decimal(iou)}`];
  const times = factor(areaOf(a) / areaOf(t));
  if (holds(a, t) && holds(t, a)) return words.join();
  if (holds(a, t) && areaOf(t) > 0) words.push(`it contains the ground truth, ${times} times its area`);
  else if (holds(t, a) && areaOf(t) > 0) words.push(`it lies inside the ground truth, ${times} times its area`);
  else if (iou === 0) words.push("the boxes do not overlap");
  return words.join("; ");
}

interface Sides {
  readonly x: XY;
  readonly y: XY;
}

const areaOf = (one: Sides): number => (one.x[1] - one.x[0]) * (one.y[1] - one.y[0]);

function sides(points: readonly XY[]): Sides {
  const along = (axis: 0 | 1): XY => [
    Math.min(...points.map((point) => point[axis])),
    Math.max(...points.map((point) => point[axis])),
  ];
  return { x: along(0), y: along(1) };
}

const holds = (outer: Sides, inner: Sides): boolean =>
  (["x", "y"] as const).every(
    (axis) => outer[axis][0] <= inner[axis][0] + EDGE && outer[axis][1] >= inner[axis][1] - EDGE,
  );

/** A ratio of areas: two digits that count, or whole numbers. */
const factor = (value: number): string => (value >= 10 ? value.toFixed(0) : Number(value.toPrecision(2)).toString());
