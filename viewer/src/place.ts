// Where an answer was measured, in words: what is true of it, and whether the rule counts it as the wrong place.
import { apartOf } from "./apart";
import type { Talk } from "./forms";

/** What counts as the wrong place: as a cell of the table says it, and as a sentence begins. */
const WRONG: Readonly<Record<string, readonly [short: string, long: string]>> = {
  elsewhere: ["elsewhere", "That lies elsewhere than the ground truth"],
  too_large: ["too large", "The box is far too large"],
  too_small: ["too small", "The box is far too small"],
  partly: ["partly", "The box covers only a part of the ground truth, or much beside it"],
  wrong_ends: ["other ends", "These are not the ends of the ground truth"],
  wrong_lines: ["other lines", "These are not the lines of the ground truth"],
};
/** Where the truth is met, though not well enough. */
const MET = new Set(["too_large", "too_small", "partly"]);

export const isWrong = (place: string): boolean => Object.hasOwn(WRONG, place);

/** A place in one or two words; several stand with spaces between them. */
export const placeShort = (places: string): string =>
  places
    .split(" ")
    .map((one) => WRONG[one]?.[0] ?? one)
    .join(", ");

/** What is to be said of where the answer was measured, and how far off that is; empty where nothing is known. */
export function placeSaid(place: string, talk: Talk | undefined): string {
  const long = WRONG[place]?.[1] ?? (place === "right" ? "That is the right place" : "");
  const apart = long && talk ? apartOf(talk) : "";
  return long && `${long}${apart && ` (${apart})`}.`;
}

/** Why a place that meets the truth is a wrong one all the same; empty where that is plain. */
export const placeRule = (place: string): string =>
  MET.has(place) ? "By the rule, an IoU under 0.25 counts as the wrong place." : "";
