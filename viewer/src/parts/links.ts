// Links that several pages offer.
import type { Effect } from "../forms";
import { chosen, type Scope } from "../data/scope";
import { link } from "../route";
import { signed } from "../text";

/** Differences up to it are those of rounding. */
const ROUNDING = 1e-9;

/** The samples of one contrast, those that the change harmed most first. */
export function harmLink(scope: Scope, effect?: Effect): string {
  const arm = (name: string, model: string) => scope.arms.find((one) => one.name === name && one.model === model)?.key;
  const after = effect ? arm(effect.after, effect.model) : scope.after?.key;
  const before = effect ? arm(effect.before, effect.model) : scope.before?.key;
  const of = { arm: after, against: before, task: effect?.task, sort: "difference" };
  return link("samples", { ...scope.settings, ...(effect?.source && { source: effect.source }), ...of });
}

export interface Way {
  title: string;
  href: string;
  /** Largest difference of the loss on one sample, as the samples of the link have it; null where it is not known. */
  worst: number | null;
}

/** A way to the samples that tools harmed most, for each model of a study: the largest harm first. */
export function harmLinks(scope: Scope, effects: readonly Effect[]): Way[] {
  const models = [...new Set(scope.arms.map((arm) => arm.model))];
  const main = models.flatMap((model) => {
    const own = effects.filter((one) => one.model === model);
    const found = own.find((one) => one.primary) ?? own[0];
    return found ? [found] : [];
  });
  const worstOf = (before: string | undefined, after: string | undefined, model: string | undefined) => {
    const own = effects.filter((one) => one.before === before && one.after === after && one.model === model);
    const source = scope.settings["source"];
    const known = own
      .filter((one) => !source || !one.source || one.source === source)
      .map((one) => one.worst)
      .filter((one) => one !== null);
    return known.length ? Math.max(...known) : null;
  };
  const way = (name: string, of: string, href: string, worst: number | null): Way => ({
    title: `“${name}” harmed most${of}${worst === null ? "" : worst > ROUNDING ? `: ${signed(worst)}` : ": none"}`,
    href,
    worst,
  });
  if (main.length < 2) {
    const { before, after } = scope;
    if (!before || !after) return [];
    return [way(after.name, "", harmLink(scope), worstOf(before.name, after.name, after.model))];
  }
  return main
    .map((one) =>
      way(
        one.after,
        one.after.startsWith(`${one.model} `) ? "" : ` (${one.model})`,
        harmLink(scope, { ...one, task: "", source: "" }),
        worstOf(one.before, one.after, one.model),
      ),
    )
    .sort((a, b) => (b.worst ?? -Infinity) - (a.worst ?? -Infinity));
}

/** The samples of one arm: of one task, and of one source where the study has several. */
export const armLink = (scope: Scope, arm: string, task?: string, source?: string): string =>
  link("samples", { ...scope.settings, ...(source && { source }), arm, against: "none", task, sort: "loss" });

/** How an arm and the one it is compared with are called in a sentence. */
export function pairOf(scope: Scope): string {
  const { arm, against } = chosen(scope, {});
  return arm && against ? `“${arm.name}” compared with “${against.name}”` : (arm?.name ?? "");
}
