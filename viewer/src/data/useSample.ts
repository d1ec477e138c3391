// One sample as up to four arms asked it: which rows these are, and their conversations.
import { useEffect, useState } from "preact/hooks";
import type { Talk } from "../forms";
import type { Settings } from "../route";
import { wordAt, type Run } from "./columns";
import { type Arm, byKey, chosen, type Scope } from "./scope";
import { broken, readRows, readTalk, rowsOf } from "./store";

export const MOST_ARMS = 4;

/** One arm's part of the page. */
export interface Take {
  arm: Arm;
  /** The arm's, or another one where an arm beside it has the same. */
  colour: string;
  runKey: string;
  run: Run | undefined;
  row: number | undefined;
  position: number;
  talk: Talk | undefined;
  /** Why there is no conversation, in words. */
  problem: string;
}

/** The arms that the settings name, at most four; else the two of the table. */
export function armsOf(scope: Scope, settings: Settings): Arm[] {
  const keys = (settings["arms"] ?? "").split(",");
  const named = keys.map((key) => byKey(scope.arms, key)).filter((arm) => arm !== undefined);
  const { arm, against } = chosen(scope, settings);
  const usual = [against, arm].filter((one) => one !== undefined);
  return [...new Set(named.length ? named : usual)].slice(0, MOST_ARMS);
}

/** The id of the sample: as the settings say, or by a row number of the first arm. */
export function idOf(arms: Arm[], settings: Settings): string | undefined {
  if (settings["id"]) return settings["id"];
  const run = rowsOf(arms[0]?.runs[nthOf(settings)] ?? arms[0]?.runs[0] ?? "");
  const position = run?.row.get(Number(settings["row"] ?? NaN));
  return position === undefined ? undefined : run?.lists.id[position];
}

const nthOf = (settings: Settings): number => Math.max(0, Number(settings["nth"] ?? 1) - 1);
const wasRead = (key: string): boolean => rowsOf(key) !== undefined || Boolean(broken.value[key]);

/** The run of an arm that the settings name, of those that asked the sample; empty until that is known. */
function runAt(arm: Arm, settings: Settings, id: string | undefined): string {
  if (id === undefined || !arm.runs.every(wasRead)) return "";
  const asked = arm.runs.filter((key) => rowsOf(key)?.at.has(id));
  return asked[nthOf(settings)] ?? asked[0] ?? arm.runs[0] ?? "";
}

const talks = new Map<string, Talk>();
const KEPT = 40;

function keep(key: string, talk: Talk): void {
  talks.set(key, talk);
  const [oldest] = talks.keys();
  if (talks.size > KEPT && oldest !== undefined) talks.delete(oldest);
}

/** Read what the page of a sample shows. */
export function useSample(arms: Arm[], settings: Settings): { id: string | undefined; takes: Take[]; ready: boolean } {
  const [, drawAnew] = useState(0);
  const [failed, setFailed] = useState<Readonly<Record<string, string>>>({});
  const runs = arms.flatMap((arm) => arm.runs);
  useEffect(() => {
    for (const key of runs) void readRows(key);
  }, [runs.join()]);
  const id = idOf(arms, settings);
  const keys = arms.map((arm) => runAt(arm, settings, id));
  const colours = coloursOf(arms);
  const takes = arms.map((arm, k) => takeOf(arm, colours[k] ?? "", keys[k] ?? "", id));
  // A conversation is read again when its outcome has changed: it may have been under way.
  const wanted = takes.map((take) => (take.row === undefined || take.problem ? "" : nameOf(take)));
  useEffect(() => {
    for (const [k, name] of wanted.entries()) {
      const take = takes[k];
      if (!name || !take || take.row === undefined || talks.has(name)) continue;
      readTalk(take.runKey, take.row).then(
        (talk) => {
          keep(name, talk);
          drawAnew((count) => count + 1);
        },
        (error: unknown) => setFailed((known) => ({ ...known, [name]: String(error).replace(/^Error: /, "") })),
      );
    }
  }, [wanted.join()]);
  const whole = takes.map((take, k) => {
    const name = wanted[k] ?? "";
    return { ...take, talk: talks.get(name), problem: take.problem || (failed[name] ?? "") };
  });
  const ready = runs.every(wasRead);
  return { id, takes: whole, ready };
}

const SPARE = ["#ffffff", "#f5e840", "#4ff0a8", "#ea3558"];

/** A colour for each of the arms side by side: their own, unless two have the same one (more than eight arms). */
export function coloursOf(arms: readonly Arm[]): string[] {
  const given = new Set(arms.map((arm) => arm.colour));
  const spare = SPARE.filter((colour) => !given.has(colour));
  const taken = new Set<string>();
  return arms.map(({ colour }) => {
    const own = taken.has(colour) ? (spare.shift() ?? colour) : colour;
    taken.add(own);
    return own;
  });
}

const nameOf = (take: Take): string =>
  [take.runKey, take.row, take.run && wordAt(take.run.words.outcome, take.position)].join("/");

function takeOf(arm: Arm, colour: string, runKey: string, id: string | undefined): Take {
  const run = rowsOf(runKey);
  const position = (id === undefined ? undefined : run?.at.get(id)) ?? -1;
  const row = run?.lists.rows[position];
  const take = { arm, colour, runKey, run, row, position, talk: undefined };
  if (broken.value[runKey]) return { ...take, problem: `The samples could not be read: ${broken.value[runKey]}.` };
  if (!run || id === undefined) return { ...take, problem: "" };
  if (row === undefined) return { ...take, problem: "This arm was not asked this sample, or it is not in this copy." };
  if (run.lists.has_talk[position] !== 1)
    return {
      ...take,
      problem: "There is no conversation to show: the sample is not finished, or it is not in this copy.",
    };
  return { ...take, problem: "" };
}
