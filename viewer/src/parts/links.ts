// Links that several pages offer.
import type { Effect } from "../forms";
import { chosen, type Scope } from "../data/scope";
import { link } from "../route";

/** The samples of one contrast, those that the change harmed most first. */
export function harmLink(scope: Scope, effect?: Effect): string {
  const arm = (name: string, model: string) => scope.arms.find((one) => one.name === name && one.model === model)?.key;
  const after = effect ? arm(effect.after, effect.model) : scope.after?.key;
  const before = effect ? arm(effect.before, effect.model) : scope.before?.key;
  return link("samples", { ...scope.settings, arm: after, against: before, task: effect?.task, sort: "difference" });
}

/** The samples of one arm, and of one task. */
export const armLink = (scope: Scope, arm: string, task?: string): string =>
  link("samples", { ...scope.settings, arm, against: "none", task, sort: "loss" });

/** How an arm and the one it is compared with are called in a sentence. */
export function pairOf(scope: Scope): string {
  const { arm, against } = chosen(scope, {});
  return arm && against ? `“${arm.name}” compared with “${against.name}”` : (arm?.name ?? "");
}
