// What the marks and the results of a conversation show of how an answer came about: facts, no guesses.
import { apartOf, timesOf } from "./apart";
import type { Call, Mark, Talk } from "./forms";
import type { Origin } from "./origin";
import { isWarning, flat } from "./parts/Values";

/** The facts that speak against an answer, about the call that it comes from. */
export function factsOf(talk: Talk, origin: Origin | undefined): string[] {
  const marks = talk.scene?.marks ?? [];
  const own = marks.filter((one) => one.layer === "tool" && one.call !== null && one.call === origin?.call);
  const call = talk.turns.flatMap((turn) => turn.calls).find((one) => one.number === origin?.call);
  const truth = marks.find((one) => one.layer === "truth" && (one.kind === "box" || one.kind === "ellipse"));
  const times = apartOf(talk).includes(" times its area") ? "" : timesOf(talk);
  return [
    ...(truth ? own.flatMap((one) => beside(one, truth)) : []),
    ...(call && touches(call) ? ["the outline touches the region's border"] : []),
    ...(times ? [`the box has ${times} times the area of the ground truth`] : []),
  ];
}

const touches = (call: Call): boolean => (flat(call.result) ?? []).some(([key, value]) => isWarning(key, value));

/** What a tool was given that lies beside the ground truth. */
function beside(given: Mark, truth: Mark): string[] {
  const [point] = given.points;
  const seed = given.kind === "point" && /^(seed|point inside) given$/.test(given.name);
  if (seed && point && !holds(truth, point))
    return [`the ${given.name.replace(" given", "")} lies outside the ground truth`];
  if (given.kind === "box" && given.name === "region given" && truth.kind === "box" && !meet(given, truth))
    return ["the region does not meet the ground truth"];
  return [];
}

type XY = readonly [number, number];

const range = (box: Mark, axis: 0 | 1): XY => {
  const values = box.points.map((point) => point[axis]);
  return [Math.min(...values), Math.max(...values)];
};

const meet = (a: Mark, b: Mark): boolean =>
  ([0, 1] as const).every((axis) => range(a, axis)[0] < range(b, axis)[1] && range(b, axis)[0] < range(a, axis)[1]);

/** Whether a box, or an ellipse given by the ends of its axes, has a point inside. */
function holds(shape: Mark, [x, y]: XY): boolean {
  if (shape.kind === "box")
    return ([x, y] as const).every((value, axis) => {
      const [low, high] = range(shape, axis as 0 | 1);
      return low <= value && value <= high;
    });
  const [a, b, c, d] = shape.points;
  if (!a || !b || !c || !d) return true;
  const [ux, uy, vx, vy] = [(b[0] - a[0]) / 2, (b[1] - a[1]) / 2, (d[0] - c[0]) / 2, (d[1] - c[1]) / 2];
  const [dx, dy] = [x - (a[0] + b[0] + c[0] + d[0]) / 4, y - (a[1] + b[1] + c[1] + d[1]) / 4];
  const area = ux * vy - uy * vx;
  return area === 0 || Math.hypot((dx * vy - dy * vx) / area, (ux * dy - uy * dx) / area) <= 1;
}
