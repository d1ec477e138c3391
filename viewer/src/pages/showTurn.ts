import { change } from "../route";

/** Put a turn of an arm into the URL: it is marked, and its marks stand out on the canvas. */
export const showTurn = (arm: string, turn: number | undefined): void =>
  change({ on: turn === undefined ? undefined : arm, turn: turn === undefined ? undefined : String(turn) });
