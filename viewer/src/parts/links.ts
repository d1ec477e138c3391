// Links that several pages offer.
import type { Effect } from "../forms";
import { chosen, type Scope } from "../data/scope";
import { link } from "../route";

/** The samples of one contrast, those that the change harmed most first. */
export function harmLink(scope: Scope, effect?: Effect): string {
  const arm = (name: string, model: string) => scope.arms.find((one) => one.name === name && one.model === model)?.key;
  const after = effect ? arm(effect.after, effect.model) : scope.after?.key;
  const before = effect ? arm(effect.before, effect.model) : scope.before?.key;
  const of = { arm: after, against: before, task: effect?.task, sort: "difference" };
  return link("samples", { ...scope.settings, ...(effect?.source && { source: effect.source }), ...of });
}

/** A way to the samples that tools harmed most, for each model of a study. */
export function harmLinks(scope: Scope, effects: readonly Effect[]): { title: string; href: string }[] {
  const models = [...new Set(scope.arms.map((arm) => arm.model))];
  const main = models.flatMap((model) => {
    const own = effects.filter((one) => one.model === model);
    const found = own.find((one) => one.primary) ?? own[0];
    return found ? [found] : [];
  });
  if (main.length < 2) {
    if (!scope.before || !scope.after) return [];
    return [{ title: `“${scope.after.name}” harmed most`, href: harmLink(scope) }];
  }
  return main.map((one) => ({
    title: `“${one.after}” harmed most${one.after.startsWith(`${one.model} `) ? "" : ` (${one.model})`}`,
    href: harmLink(scope, { ...one, task: "", source: "" }),
  }));
}

/** The samples of one arm: of one task, and of one source where the study has several. */
export const armLink = (scope: Scope, arm: string, task?: string, source?: string): string =>
  link("samples", { ...scope.settings, ...(source && { source }), arm, against: "none", task, sort: "loss" });

/** How an arm and the one it is compared with are called in a sentence. */
export function pairOf(scope: Scope): string {
  const { arm, against } = chosen(scope, {});
  return arm && against ? `“${arm.name}” compared with “${against.name}”` : (arm?.name ?? "");
}
