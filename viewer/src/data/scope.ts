// What is looked at: the arms of a study, one run, or a few runs side by side.
import type { Settings } from "../route";
import { runLine, studyPage } from "./store";

/** One way of asking, with its runs: epochs and wordings, in their order. */
export interface Arm {
  /** Its name in the URL: unique among the arms that are looked at. */
  key: string;
  name: string;
  model: string;
  condition: string;
  /** As CSS has it, for a dark image; every page and the report have the same. */
  colour: string;
  runs: string[];
}

export interface Scope {
  title: string;
  study: string | undefined;
  /** Names of the sources of a study's samples. */
  sources: string[];
  arms: Arm[];
  /** Arms that are looked at first: the one without a change, and the one with it. */
  before: Arm | undefined;
  after: Arm | undefined;
  /** Settings that lead back here. */
  settings: Record<string, string>;
}

/** How many runs of an arm asked the same samples: its epochs and wordings, over each source of samples. */
export function repeatsOf(arm: Arm): number {
  const count = new Map<string, number>();
  for (const run of arm.runs) {
    const source = runLine(run)?.source ?? "";
    count.set(source, (count.get(source) ?? 0) + 1);
  }
  return Math.max(0, ...count.values());
}

/** Return the arm of a key; single runs are found by that of the run, too. */
export const byKey = (arms: Arm[], key: string | undefined) =>
  arms.find((arm) => arm.key === key) ?? arms.find((arm) => arm.runs.length === 1 && arm.runs[0] === key);

/** Return what the settings of a page name; undefined where there is no such thing. */
export function scopeOf(settings: Settings): Scope | undefined {
  if (settings["study"]) return ofStudy(settings["study"], settings["source"]);
  const keys = (settings["runs"] ?? settings["run"] ?? "").split(",").filter(Boolean);
  return ofRuns(keys);
}

/** The arms of a study, over all sources of its samples or over one. */
function ofStudy(key: string, source: string | undefined): Scope | undefined {
  const study = studyPage(key);
  if (!study) return undefined;
  const several = new Set(study.arms.map((arm) => arm.name)).size < study.arms.length;
  const keyOf = (name: string, model: string) => (several ? `${name}@${model}` : name);
  const within = (run: string) => !source || runLine(run)?.source === source;
  const arms = study.arms.map((arm) => ({
    ...arm,
    key: keyOf(arm.name, arm.model),
    runs: arm.runs.filter(within),
  }));
  const main = study.effects.find((one) => one.primary) ?? study.effects[0];
  // Before anything was found: tools on against tools off, of one model. Names may begin with that of the model.
  const named = (name: string) =>
    arms.find((arm) => arm.model === arms[0]?.model && (arm.name === name || arm.name.endsWith(` ${name}`)));
  const after = (main && byKey(arms, keyOf(main.after, main.model))) ?? named("on") ?? arms.at(-1);
  const before = (main && byKey(arms, keyOf(main.before, main.model))) ?? named("off") ?? arms[0];
  return {
    title: study.name || "study",
    study: key,
    sources: [...new Set(study.arms.flatMap((arm) => arm.runs).map((run) => runLine(run)?.source ?? ""))],
    arms,
    before: before === after ? undefined : before,
    after,
    settings: source ? { study: key, source } : { study: key },
  };
}

function ofRuns(keys: string[]): Scope | undefined {
  const arms: Arm[] = [];
  for (const key of keys) {
    const run = runLine(key);
    if (!run) return undefined;
    const name = run.name || run.arm;
    // People read it, and addresses hold it in lists with commas.
    const own = name.includes(",") || arms.some((arm) => arm.key === name) ? key : name;
    arms.push({ key: own, name, model: run.model, condition: run.condition, colour: run.colour, runs: [key] });
  }
  if (!arms.length) return undefined;
  const [first, second] = arms;
  return {
    title: arms.map((arm) => arm.name).join(" and "),
    study: undefined,
    sources: [],
    arms,
    before: second && first,
    after: second ?? first,
    settings: { [arms.length > 1 ? "runs" : "run"]: keys.join(",") },
  };
}

/** The two arms of a table: the one shown, and the one it is compared with, if any. */
export function chosen(scope: Scope, settings: Settings): { arm: Arm | undefined; against: Arm | undefined } {
  const arm = byKey(scope.arms, settings["arm"]) ?? scope.after;
  if (settings["against"] === "none") return { arm, against: undefined };
  const against = byKey(scope.arms, settings["against"]) ?? scope.before;
  return { arm, against: against === arm ? undefined : against };
}
