// The marks of the arms on one canvas: which there are, in which layer, and what is told of each.
import type { Mark, Scene } from "../forms";

export interface ArmScene {
  readonly name: string;
  /** A CSS colour that no other arm has. */
  readonly colour: string;
  readonly scene: Scene;
}

/** A mark with its arm. */
export interface Placed {
  readonly key: string;
  readonly mark: Mark;
  readonly arm: string;
  readonly colour: string;
  /** What it is toggled with. */
  readonly layer: string;
}

/** A row of switches: an arm, or the ground truth, and what can be switched of it. */
export interface Layer {
  readonly key: string;
  readonly arm: string;
  readonly name: string;
  readonly colour: string;
  readonly count: number;
}

export interface Chosen {
  readonly arm?: string | undefined;
  readonly turn?: number | undefined;
  readonly call?: number | undefined;
}

export const TRUTH = "Ground truth";
export const TRUTH_COLOUR = "#ffffff";

/** The arms whose scenes have the same image, by the name of the image, in their order. */
export function byImage(arms: readonly ArmScene[]): Map<string, ArmScene[]> {
  const found = new Map<string, ArmScene[]>();
  for (const arm of arms) found.set(arm.scene.shown.name, [...(found.get(arm.scene.shown.name) ?? []), arm]);
  return found;
}

/** All marks of arms that share an image; the ground truth once. */
export function placedOf(arms: readonly ArmScene[]): Placed[] {
  const truth = arms.find((arm) => arm.scene.marks.some((mark) => mark.layer === "truth"));
  return arms.flatMap((arm, number) =>
    arm.scene.marks.flatMap((mark, at) => {
      const isTruth = mark.layer === "truth";
      if (isTruth && arm !== truth) return [];
      const name = isTruth ? TRUTH : arm.name;
      const colour = isTruth ? TRUTH_COLOUR : arm.colour;
      return [{ key: `${number}:${at}`, mark, arm: name, colour, layer: `${isTruth ? "" : number}|${kindOf(mark)}` }];
    }),
  );
}

function kindOf(mark: Mark): string {
  if (mark.layer === "truth") return "truth";
  if (mark.layer === "answer") return "answer";
  return mark.layer === "view" ? "views" : mark.tool || "other";
}

/** The layers of marks, in the order in which they come, each once. */
export function layersOf(placed: readonly Placed[]): Layer[] {
  const found = new Map<string, Layer>();
  for (const { layer, arm, colour, mark } of placed) {
    const known = found.get(layer);
    found.set(layer, { key: layer, arm, name: kindOf(mark), colour, count: (known?.count ?? 0) + 1 });
  }
  const rank = (one: Layer): string => `${one.key.split("|")[0] ?? ""}|${order(one.name)}`;
  return [...found.values()].sort((a, b) => rank(a).localeCompare(rank(b)));
}

const order = (name: string): string => (name === "answer" ? "0" : name === "views" ? "2" : "1");

export function isChosen({ mark, arm }: Placed, chosen: Chosen | null): boolean {
  if (!chosen || (chosen.turn === undefined && chosen.call === undefined)) return false;
  if (chosen.arm !== undefined && chosen.arm !== arm) return false;
  return chosen.call === undefined ? mark.turn === chosen.turn : mark.call === chosen.call;
}

/** Whether a mark stands out: the one that was pinned in the table; without one, those of what is chosen. */
export const isLit = (one: Placed, pinned: string | null, chosen: Chosen | null): boolean =>
  pinned === null ? isChosen(one, chosen) : one.key === pinned;

/** A region that a tool was given to look in, beside the box of what it found there. */
const isRegion = ({ layer, kind, name }: Mark): boolean =>
  layer === "tool" && kind === "box" && name === "region given";

/** How a mark is dashed, in CSS pixels drawn and left out: what is no answer differs from one another without colour. */
export function dashOf(mark: Mark): number[] {
  if (mark.layer === "truth") return [7, 4];
  if (mark.layer === "view") return [2, 3];
  if (isRegion(mark)) return [4, 6];
  return mark.layer === "tool" && mark.kind === "box" ? [10, 3, 2, 3] : [];
}

/** What is written beside a mark on the image; empty where only a closer look tells. */
export function labelOf({ mark }: Placed): string {
  const { layer, kind, name, value, tool } = mark;
  if (layer === "truth") return kind === "point" ? name : value && `ground truth ${value}`;
  if (layer === "answer") return value ? `answer ${value}` : name;
  if (layer === "view") return name.split(",")[0]?.replace(/^view /, "") ?? "";
  if (kind === "point") return name;
  if (kind === "line" || kind === "angle") return value || name;
  if (kind === "ellipse") return value ? `ellipse ${value}` : name;
  if (isRegion(mark)) return "region";
  if (kind === "box" && tool !== "statistics") return value && `box ${value}`;
  return tool === "statistics" ? (value.split(",")[0] ?? "") : "";
}

/** Arm, name and value of a mark in one line. */
export const told = (one: Placed): string =>
  `${one.arm}: ${one.arm === TRUTH ? described(one).replace(/^ground truth: /, "") : described(one)}`;

/** Name and value of a mark in one line. */
export const described = ({ mark }: Placed): string => (mark.value ? `${mark.name}, ${mark.value}` : mark.name);
