// What one arm has for each line of a table. Where it asked a sample in several runs, the columns are of all of them.
import type { Rows, Words } from "../forms";
import { type Run } from "./columns";
import type { Arm } from "./scope";

type TextColumn = { [K in keyof Rows]: Rows[K] extends Words ? K : never }[keyof Rows];

/** A column of repeated texts over a table: its distinct values, and the code of each line (-1: missing). */
export interface Coded {
  values: string[];
  at: Int32Array;
}

export interface Side {
  arm: Arm;
  /** Mean loss over the runs; NaN where none is known. */
  loss: Float64Array;
  /** Mean cost in dollars; NaN where unknown. */
  cost: Float64Array;
  /** The first run that finished a sample (its place in `runs`), and the position in it; -1: the arm lacks it. */
  run: Int8Array;
  position: Int32Array;
  /** Every outcome, every place and every tool of any of the runs, each once, joined by spaces. */
  outcome: Coded;
  place: Coded;
  tools: Coded;
  /** 1 where the answer of any run was forced. */
  forced: Uint8Array;
  /** Failed calls of all runs. */
  errors: Uint16Array;
  /** Mean over the runs. */
  calls: Float64Array;
  runs: Run[];
  /** For each run, the position of each line in it; -1 where the run lacks it. */
  places: Int32Array[];
}

export function sideOf(arm: Arm, runs: Run[], ids: string[]): Side {
  const n = ids.length;
  const places = runs.map((one) => Int32Array.from(ids, (id) => one.at.get(id) ?? -1));
  const sum = (column: "forced" | "tool_errors", most: number) => {
    const made = new Uint16Array(n);
    each(places, (r, k, at) => {
      made[k] = Math.min(most, (made[k] ?? 0) + (runs[r]?.lists[column][at] ?? 0));
    });
    return made;
  };
  const first = firstOf(runs, places, n);
  const words = (column: TextColumn) =>
    runs.length > 1 ? joined(runs, places, column, n) : coded([{ runs, ...first }], column, n);
  return {
    ...{ arm, runs, places, ...first },
    loss: mean(places, runs, "loss", n),
    cost: mean(places, runs, "cost_usd", n),
    outcome: words("outcome"),
    place: words("place"),
    tools: words("tools"),
    forced: Uint8Array.from(sum("forced", 1)),
    errors: sum("tool_errors", 65535),
    calls: mean(places, runs, "calls", n),
  };
}

/** Do something for each line that each run has. */
function each(places: Int32Array[], act: (run: number, line: number, position: number) => void): void {
  places.forEach((at, r) => {
    for (let k = 0; k < at.length; k++) if ((at[k] ?? -1) >= 0) act(r, k, at[k] ?? -1);
  });
}

/** The first run that finished each sample; where none did, the first that has it. */
function firstOf(runs: Run[], places: Int32Array[], n: number): { run: Int8Array; position: Int32Array } {
  const run = new Int8Array(n).fill(-1);
  const position = new Int32Array(n).fill(-1);
  const finished = (r: number, at: number) => (runs[r]?.words.outcome.at[at] ?? -1) >= 0;
  each(places, (r, k, at) => {
    const now = run[k] ?? -1;
    if (now !== -1 && (finished(now, position[k] ?? -1) || !finished(r, at))) return;
    run[k] = r;
    position[k] = at;
  });
  return { run, position };
}

function mean(places: Int32Array[], runs: Run[], column: "loss" | "cost_usd" | "calls", n: number): Float64Array {
  const sum = new Float64Array(n);
  const count = new Uint16Array(n);
  each(places, (r, k, at) => {
    const value = runs[r]?.lists[column][at];
    const open = column === "calls" && (runs[r]?.words.outcome.at[at] ?? -1) < 0; // not asked yet: no call is known
    if (value === null || value === undefined || (open && runs.length > 1)) return;
    sum[k] = (sum[k] ?? 0) + value;
    count[k] = (count[k] ?? 0) + 1;
  });
  return sum.map((value, k) => (count[k] ? value / (count[k] ?? 1) : NaN));
}

type Located = Pick<Side, "run" | "position" | "runs">;

/** Return a column of texts over all lines, from the first side that has the line. */
export function coded(sides: Located[], column: TextColumn, n: number): Coded {
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

/** Return a column of words over all lines: those of every run, each once, joined by spaces. */
function joined(runs: Run[], places: Int32Array[], column: TextColumn, n: number): Coded {
  const lines: string[][] = Array.from({ length: n }, () => []);
  each(places, (r, k, at) => {
    const words = runs[r]?.words[column];
    const text = words?.values[words.at[at] ?? -1];
    for (const word of text?.split(" ").filter(Boolean) ?? []) if (!lines[k]?.includes(word)) lines[k]?.push(word);
  });
  const texts = lines.map((words) => words.sort().join(" "));
  const values = [...new Set(texts)].filter(Boolean);
  const codes = new Map(values.map((text, code) => [text, code]));
  return { values, at: Int32Array.from(texts, (text) => codes.get(text) ?? -1) };
}

/** The text of a line in a coded column; empty where it is missing. */
export const textAt = (column: Coded, line: number): string => column.values[column.at[line] ?? -1] ?? "";

/** Whether a column whose values are words, joined by spaces, has a word in each of its values. */
export const has = (column: Coded, word: string): boolean[] =>
  column.values.map((text) => text.split(" ").includes(word));

/** A text that each sample has once, such as its answer, of the first run that finished it; empty without the sample. */
export const ownText = (side: Side, line: number, column: "answer" | "text" | "target"): string =>
  side.runs[side.run[line] ?? -1]?.lists[column][side.position[line] ?? -1] ?? "";

/** The run and row number that a line of an arm is read from; undefined where it cannot be opened. */
export function rowOf(side: Side, line: number): { run: Run; row: number; open: boolean } | undefined {
  const run = side.runs[side.run[line] ?? -1];
  const position = side.position[line] ?? -1;
  const row = run?.lists.rows[position];
  return run && row !== undefined ? { run, row, open: run.lists.has_talk[position] === 1 } : undefined;
}
