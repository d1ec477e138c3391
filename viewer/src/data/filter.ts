// Which lines of a table are shown, and in which order; both follow from the settings in the URL.
import { isWrong } from "../place";
import type { Settings } from "../route";
import { holding } from "./search";
import { type Coded, has } from "./side";
import type { Table } from "./table";

/** Settings that filter by a text, and those that filter by a range, written LOW..HIGH with either end left out. */
export const FACETS = ["task", "label", "dataset", "modality", "outcome", "tool"] as const;
export const RANGES = ["loss", "difference", "cost"] as const;
export const FLAGS = ["error", "elsewhere", "forced", "differ"] as const;
export const FILTERS = [...FACETS, ...RANGES.map((name) => `in-${name}`), ...FLAGS, "q"];
const SORTS = [
  ...(["order", "difference", "loss", "against", "cost", "calls"] as const),
  ...(["id", "task", "label", "outcome", "place"] as const),
];
export type Sort = (typeof SORTS)[number];

/** Losses that are this far apart disagree, and so do different outcomes. */
export const DISAGREE = 0.1;

/** Facets whose values are words, joined by spaces. */
export const WORDS: ReadonlySet<string> = new Set(["tool", "outcome"]);

type Test = (line: number) => boolean;

/** The coded column that a facet looks at; the outcomes and the tools of a line may be several, joined by spaces. */
export function facet(table: Table, name: (typeof FACETS)[number]): Coded {
  if (name === "label") return table.asked;
  if (name === "outcome") return table.side.outcome;
  if (name === "tool") return table.side.tools;
  return table[name];
}

/** Read LOW..HIGH; what is no number is no bound. */
export function rangeOf(text: string | undefined): [low: number, high: number] | undefined {
  if (!text) return undefined;
  const [low = "", high = ""] = text.split("..");
  const number = (end: string, missing: number) =>
    end.trim() === "" || Number.isNaN(Number(end)) ? missing : Number(end);
  const range: [number, number] = [number(low, -Infinity), number(high, Infinity)];
  return range[0] === -Infinity && range[1] === Infinity ? undefined : range;
}

const apart = new WeakMap<Table, Uint8Array>();

/** For each line, 1 where the two arms disagree: in their outcome, or by DISAGREE in their loss. */
function disagreements(table: Table): Uint8Array {
  const known = apart.get(table);
  if (known) return known;
  const { side, against, difference } = table;
  const made = new Uint8Array(table.ids.length);
  const same = against?.outcome.values.map((text) => side.outcome.values.indexOf(text)) ?? [];
  for (let line = 0; against && line < made.length; line++) {
    const own = side.outcome.at[line] ?? -1;
    const other = against.outcome.at[line] ?? -1;
    const differ = own >= 0 && other >= 0 && own !== same[other];
    if (differ || Math.abs(difference[line] ?? 0) >= DISAGREE) made[line] = 1;
  }
  apart.set(table, made);
  return made;
}

/** Whether the two arms of a line disagree. */
export const disagrees = (table: Table, line: number): boolean => disagreements(table)[line] === 1;

function tests(table: Table, settings: Settings): Test[] {
  const made: Test[] = [];
  for (const name of FACETS) {
    const wanted = settings[name];
    if (!wanted) continue;
    const column = facet(table, name);
    const fits = WORDS.has(name) ? has(column, wanted) : column.values.map((text) => text === wanted);
    made.push((line) => fits[column.at[line] ?? -1] ?? false);
  }
  const numbers = { loss: table.side.loss, difference: table.difference, cost: table.side.cost };
  for (const name of RANGES) {
    const range = rangeOf(settings[`in-${name}`]);
    const values = numbers[name];
    if (range) made.push((line) => (values[line] ?? NaN) >= range[0] && (values[line] ?? NaN) <= range[1]);
  }
  const { side } = table;
  const wrong = side.place.values.map((places) => places.split(" ").some(isWrong));
  if (settings["error"]) made.push((line) => (side.errors[line] ?? 0) > 0);
  if (settings["forced"]) made.push((line) => side.forced[line] === 1);
  if (settings["elsewhere"]) made.push((line) => wrong[side.place.at[line] ?? -1] ?? false);
  if (settings["differ"]) {
    const differ = disagreements(table);
    made.push((line) => differ[line] === 1);
  }
  const words = (settings["q"] ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  for (const word of words) {
    const found = holding(table, word);
    made.push((line) => found[line] === 1);
  }
  return made;
}

const orders = new WeakMap<Table, Map<string, Uint32Array>>();

/** All lines in the order asked for; lines without a value stand last, and equal ones in the order of the run. */
function ordered(table: Table, sort: Sort, upward: boolean): Uint32Array {
  const key = `${sort} ${upward}`;
  const known = orders.get(table) ?? new Map<string, Uint32Array>();
  orders.set(table, known);
  const before = known.get(key);
  if (before) return before;
  const lines = Uint32Array.from(table.ids, (_, line) => line);
  if (sort !== "order") {
    const values = keysOf(table, sort);
    const sign = upward ? 1 : -1;
    lines.sort((a, b) => {
      const [x, y] = [values[a] ?? NaN, values[b] ?? NaN];
      if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y)) || a - b;
      return sign * (x - y) || a - b;
    });
  } else if (!upward) lines.reverse();
  known.set(key, lines);
  return lines;
}

function keysOf(table: Table, sort: Exclude<Sort, "order">): ArrayLike<number> {
  const { side } = table;
  if (sort === "difference") return table.difference;
  if (sort === "loss") return side.loss;
  if (sort === "against") return table.against?.loss ?? side.loss;
  if (sort === "cost") return side.cost;
  if (sort === "calls") return side.calls;
  if (sort === "id") return ranks(table.ids);
  const column = { task: table.task, label: table.asked, outcome: side.outcome, place: side.place }[sort];
  const rank = ranks(column.values);
  return Float64Array.from(column.at, (code) => rank[code] ?? NaN);
}

/** The place of each text among all of them, in the order of the alphabet. */
function ranks(texts: string[]): Float64Array {
  const order = texts
    .map((text, at) => ({ text, at }))
    .sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0));
  const rank = new Float64Array(texts.length);
  order.forEach(({ at }, place) => (rank[at] = place));
  return rank;
}

/** How a table is sorted where nothing is said, and in which direction each order reads best. */
export const sortOf = (table: Table, settings: Settings): { sort: Sort; upward: boolean } => {
  const usual = table.against ? "difference" : "order";
  const sort = SORTS.find((one) => one === settings["sort"]) ?? usual;
  const natural = ["order", "id", "task", "label", "outcome", "place"].includes(sort);
  return { sort, upward: settings["turned"] ? !natural : natural };
};

/** The lines that the settings leave, in their order. */
export function view(table: Table, settings: Settings): Uint32Array {
  const { sort, upward } = sortOf(table, settings);
  const lines = ordered(table, sort, upward);
  return tests(table, settings).reduce(passing, lines);
}

/** The lines that pass a test: a plain loop over typed arrays, many times faster than `filter`. */
function passing(lines: Uint32Array, test: Test): Uint32Array {
  const left = new Uint32Array(lines.length);
  let count = 0;
  for (const line of lines) if (test(line)) left[count++] = line;
  return left.subarray(0, count);
}

/** How the two arms of the lines compare. */
export function counts(
  table: Table,
  lines: Uint32Array,
): { worse: number; better: number; same: number; open: number } {
  const count = { worse: 0, better: 0, same: 0, open: 0 };
  for (const line of lines) {
    const value = table.difference[line] ?? NaN;
    if (Number.isNaN(value)) count.open += 1;
    else if (value > 0) count.worse += 1;
    else if (value < 0) count.better += 1;
    else count.same += 1;
  }
  return count;
}
