// The samples of one or two arms, joined by id, in typed arrays: what is filtered, sorted and shown.
import type { Rows, Words } from "../forms";
import { type Run } from "./columns";
import type { Arm } from "./scope";

type TextColumn = { [K in keyof Rows]: Rows[K] extends Words ? K : never }[keyof Rows];

/** A column of repeated texts over a table: its distinct values, and the code of each line (-1: missing). */
export interface Coded {
  values: string[];
  at: Int32Array;
}

/** What one arm has for each line of the table. */
export interface Side {
  arm: Arm;
  /** Mean loss over the arm's runs; NaN where none is known. */
  loss: Float64Array;
  /** Mean cost in dollars; NaN where unknown. */
  cost: Float64Array;
  /** The run (its place in `runs`) and the position in it that the texts of a line come from; -1: the arm lacks it. */
  run: Int8Array;
  position: Int32Array;
  outcome: Coded;
  place: Coded;
  tools: Coded;
  forced: Uint8Array;
  errors: Uint16Array;
  calls: Uint16Array;
  runs: Run[];
}

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
  const shared = (column: TextColumn) => coded(sides, column, ids.length);
  const texts = {
    task: shared("task"),
    asked: shared("asked"),
    dataset: shared("dataset"),
    modality: shared("modality"),
  };
  return { ids, line, ...texts, side, against: beside, difference };
}

function sideOf(arm: Arm, runs: Run[], ids: string[]): Side {
  const n = ids.length;
  const run = new Int8Array(n).fill(-1);
  const position = new Int32Array(n).fill(-1);
  const places = runs.map((one) => Int32Array.from(ids, (id) => one.at.get(id) ?? -1));
  places.forEach((at, r) => {
    const done = runs[r]?.words.outcome.at ?? [];
    for (let k = 0; k < n; k++) {
      const here = at[k] ?? -1;
      // The first run that finished the sample; where none did, the first that has it.
      const better = run[k] === -1 || (finished(runs, run, position, k) < 0 && (done[here] ?? -1) >= 0);
      if (here >= 0 && better) {
        run[k] = r;
        position[k] = here;
      }
    }
  });
  const side = {
    arm,
    run,
    position,
    runs,
    loss: mean(places, runs, "loss", n),
    cost: mean(places, runs, "cost_usd", n),
  };
  const number = (column: "forced" | "tool_errors" | "calls") => (_: unknown, k: number) =>
    runs[run[k] ?? -1]?.lists[column][position[k] ?? -1] ?? 0;
  return {
    ...side,
    outcome: coded([side], "outcome", n),
    place: coded([side], "place", n),
    tools: coded([side], "tools", n),
    forced: Uint8Array.from(ids, number("forced")),
    errors: Uint16Array.from(ids, number("tool_errors")),
    calls: Uint16Array.from(ids, number("calls")),
  };
}

const finished = (runs: Run[], run: Int8Array, position: Int32Array, k: number): number =>
  runs[run[k] ?? -1]?.words.outcome.at[position[k] ?? -1] ?? -1;

function mean(places: Int32Array[], runs: Run[], column: "loss" | "cost_usd", n: number): Float64Array {
  const sum = new Float64Array(n);
  const count = new Uint16Array(n);
  places.forEach((at, r) => {
    const values = runs[r]?.lists[column] ?? [];
    for (let k = 0; k < n; k++) {
      const value = values[at[k] ?? -1];
      if (value === null || value === undefined) continue;
      sum[k] = (sum[k] ?? 0) + value;
      count[k] = (count[k] ?? 0) + 1;
    }
  });
  return sum.map((value, k) => (count[k] ? value / (count[k] ?? 1) : NaN));
}

type Located = Pick<Side, "run" | "position" | "runs">;

/** Return a column of texts over all lines, from the first side that has the line. */
function coded(sides: Located[], column: TextColumn, n: number): Coded {
  const values: string[] = [];
  const codes = new Map<string, number>();
  const at = new Int32Array(n).fill(-1);
  for (const { run, position, runs } of sides) {
    const own = runs.map((one) =>
      one.words[column].values.map((text) => {
        const known = codes.get(text) ?? values.length;
        if (known === values.length) values.push(text);
        codes.set(text, known);
        return known;
      }),
    );
    for (let k = 0; k < n; k++) {
      const r = run[k] ?? -1;
      if (r < 0 || (at[k] ?? -1) >= 0) continue;
      at[k] = own[r]?.[runs[r]?.words[column].at[position[k] ?? -1] ?? -1] ?? -1;
    }
  }
  return { values, at };
}

/** The text of a line in a coded column; empty where it is missing. */
export const textAt = (column: Coded, line: number): string => column.values[column.at[line] ?? -1] ?? "";

/** A text that each sample has once, such as its answer; empty where the arm lacks the sample. */
export const ownText = (side: Side, line: number, column: "answer" | "text" | "target"): string =>
  side.runs[side.run[line] ?? -1]?.lists[column][side.position[line] ?? -1] ?? "";

/** The run and row number that a line of an arm is read from; undefined where it cannot be opened. */
export function rowOf(side: Side, line: number): { run: Run; row: number; open: boolean } | undefined {
  const run = side.runs[side.run[line] ?? -1];
  const position = side.position[line] ?? -1;
  const row = run?.lists.rows[position];
  return run && row !== undefined ? { run, row, open: run.lists.has_talk[position] === 1 } : undefined;
}
