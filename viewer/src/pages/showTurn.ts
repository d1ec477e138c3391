import { keepInSight } from "../parts/keepInSight";
import { change, route } from "../route";

/**
 * Put a turn of an arm into the URL: it is marked, and its marks stand out on the canvas. The browser's "back" returns
 * from it.
 */
export function showTurn(arm: string, turn: number | undefined): void {
  if (turn === undefined) {
    change({ on: undefined, turn: undefined });
    return;
  }
  const { on, turn: now } = route.value.settings;
  if (on === arm && now === String(turn)) toLinkedTurn();
  else change({ on: arm, turn: String(turn) }, false);
}

const LINKED = "article.turn.linked";

/** Bring the turn that the URL names into sight, and the focus to it. */
export function toLinkedTurn(): (() => void) | undefined {
  const turn = document.querySelector<HTMLElement>(LINKED);
  if (turn && !turn.contains(document.activeElement)) turn.focus({ preventScroll: true });
  return keepInSight(LINKED);
}
