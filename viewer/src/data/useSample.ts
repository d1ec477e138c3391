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
  const run = rowsOf(runAt(arms[0], settings));
  const position = run?.row.get(Number(settings["row"] ?? NaN));
  return position === undefined ? undefined : run?.lists.id[position];
}

const runAt = (arm: Arm | undefined, settings: Settings): string =>
  arm?.runs[Math.max(0, Number(settings["nth"] ?? 1) - 1)] ?? arm?.runs[0] ?? "";

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
  const keys = arms.map((arm) => runAt(arm, settings));
  useEffect(() => {
    for (const key of keys) void readRows(key);
  }, [keys.join()]);
  const id = idOf(arms, settings);
  const takes = arms.map((arm, k) => takeOf(arm, keys[k] ?? "", id));
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
  const ready = keys.every((key) => rowsOf(key) !== undefined || broken.value[key] !== undefined);
  return { id, takes: whole, ready };
}

const nameOf = (take: Take): string =>
  [take.runKey, take.row, take.run && wordAt(take.run.words.outcome, take.position)].join("/");

function takeOf(arm: Arm, runKey: string, id: string | undefined): Take {
  const run = rowsOf(runKey);
  const position = (id === undefined ? undefined : run?.at.get(id)) ?? -1;
  const row = run?.lists.rows[position];
  const take = { arm, runKey, run, row, position, talk: undefined };
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
