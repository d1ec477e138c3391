// The samples of one or two arms, joined by id, in typed arrays: what is filtered, sorted and shown.
import { type Run } from "./columns";
import type { Arm } from "./scope";
import { coded, type Coded, type Side, sideOf } from "./side";

export interface Table {
  ids: string[];
  /** Line of each id. */
  line: Map<string, number>;
  task: Coded;
  asked: Coded;
  dataset: Coded;
  modality: Coded;
  side: Side;
  against: Side | undefined;
  /** Loss of the side minus that of the one it is compared with: positive is harm. NaN without both. */
  difference: Float64Array;
}

/** Join the runs of *arm* and *against*; *rows* returns what was read of a run. */
export function tableOf(arm: Arm, against: Arm | undefined, rows: (key: string) => Run | undefined): Table {
  const runsOf = (one: Arm) => one.runs.map(rows).filter((run): run is Run => run !== undefined);
  const own = runsOf(arm);
  const other = against ? runsOf(against) : [];
  const line = new Map<string, number>();
  for (const run of [...other, ...own]) for (const id of run.lists.id) if (!line.has(id)) line.set(id, line.size);
  const ids = [...line.keys()];
  const side = sideOf(arm, own, ids);
  const beside = against && sideOf(against, other, ids);
  const difference = new Float64Array(ids.length).fill(NaN);
  if (beside) for (let k = 0; k < ids.length; k++) difference[k] = (side.loss[k] ?? NaN) - (beside.loss[k] ?? NaN);
  const sides = beside ? [side, beside] : [side];
  const shared = (column: "task" | "asked" | "dataset" | "modality") => coded(sides, column, ids.length);
  const texts = {
    task: shared("task"),
    asked: shared("asked"),
    dataset: shared("dataset"),
    modality: shared("modality"),
  };
  return { ids, line, ...texts, side, against: beside, difference };
}
