// One study: what it found, arm by arm and task by task, and the way to the samples behind it.
import { type Scope, scopeOf } from "../data/scope";
import { runLine, studyPage } from "../data/store";
import type { Effect, StudyPage } from "../forms";
import { Missing } from "../parts/Missing";
import { armLink, harmLink, pairOf } from "../parts/links";
import { Forest, Loss } from "../parts/numbers";
import { link, route } from "../route";
import { decimal, many, percent, signed } from "../text";
import { State } from "./Home";

export function StudyOverview() {
  const { settings } = route.value;
  const study = studyPage(settings["study"] ?? "");
  const scope = scopeOf(settings);
  if (!study || !scope) return <Missing what="study" />;
  return (
    <>
      <nav class="crumbs" aria-label="Where you are">
        <a href={link("home")} data-back>
          All runs
        </a>
        <span>{study.name || "study"}</span>
      </nav>
      <h1>
        {study.name || "Study"} <State state={study.state} />
      </h1>
      <div class="headline">
        {study.headline.map((sentence) => (
          <p key={sentence}>{sentence}</p>
        ))}
        {study.note && <p>{study.note}</p>}
      </div>
      {scope.before && scope.after && (
        <p class="actions">
          <a class="button main" href={harmLink(scope)}>
            See the samples that “{scope.after.name}” harmed most
          </a>
          <span class="quiet">{pairOf(scope)}, the largest increase of the loss first</span>
        </p>
      )}
      {study.effects.length > 0 && <Effects study={study} scope={scope} />}
      <Arms study={study} scope={scope} />
      {study.caveats.length > 0 && (
        <details>
          <summary>{many(study.caveats.length, "caveat")}</summary>
          <ul>
            {study.caveats.map((caveat) => (
              <li key={caveat}>{caveat}</li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

/** The largest number that the axis of effects has to reach, rounded up. */
function reachOf(effects: Effect[]): number {
  const ends = effects.flatMap((one) => [one.effect, one.low, one.high]).map((end) => Math.abs(end ?? 0));
  return [0.05, 0.1, 0.2, 0.5, 1].find((step) => Math.max(...ends) <= step) ?? 1;
}

function Effects({ study, scope }: { study: StudyPage; scope: Scope }) {
  const reach = reachOf(study.effects);
  const models = new Set(study.effects.map((one) => one.model)).size > 1;
  return (
    <section aria-labelledby="effects">
      <h2 id="effects">Effects on the loss</h2>
      <p class="quiet">
        Mean difference of the loss, after minus before, with its interval. Below zero, to the left, the loss is smaller
        after the change. Only an effect that can be claimed is coloured.
      </p>
      <div class="wide" tabIndex={0} role="region" aria-labelledby="effects">
        <table class="plain-table">
          <thead>
            <tr>
              <th>Task</th>
              <th>Contrast</th>
              <th class="axis">
                <span>−{reach} better</span>
                <span>worse +{reach}</span>
              </th>
              <th class="right">Pairs (subjects)</th>
              <th class="right">Better / same / worse</th>
              <th class="right">Wrong place</th>
              <th class="right">Cost ratio</th>
              <th>Claim</th>
            </tr>
          </thead>
          <tbody>
            {study.effects.map((one) => (
              <EffectLine key={`${one.task} ${one.contrast} ${one.model}`} {...{ one, reach, scope, models }} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function EffectLine(props: { one: Effect; reach: number; scope: Scope; models: boolean }) {
  const { one, reach, scope, models } = props;
  return (
    <tr class={one.primary ? "" : "secondary"}>
      <th scope="row">{one.task}</th>
      <td>
        {one.before} → {one.after} {one.primary && <span class="chip">primary</span>}
        {models && <div class="quiet">{one.model}</div>}
        <div>
          <a href={harmLink(scope, one)}>
            worst harm first<span class="unseen">{`: ${one.task}, ${one.after} against ${one.before}`}</span>
          </a>
        </div>
      </td>
      <td class="number">
        <Forest {...one} reach={reach} />
        {signed(one.effect, 3)}{" "}
        {one.low !== null && one.high !== null && (
          <span class="quiet">
            ({signed(one.low, 3)} to {signed(one.high, 3)})
          </span>
        )}
      </td>
      <td class="right">
        {one.pairs} ({one.subjects})
      </td>
      <td class="right">
        {one.wins} / {one.ties} / {one.losses}
      </td>
      <td class="right">{percent(one.elsewhere)}</td>
      <td class="right">{one.cost_ratio === null ? "–" : `× ${decimal(one.cost_ratio, 1)}`}</td>
      <td>
        {one.claim ? <strong>yes</strong> : "no"}
        {one.why_not && <div class="quiet why">{one.why_not}</div>}
      </td>
    </tr>
  );
}

function Arms({ study, scope }: { study: StudyPage; scope: Scope }) {
  return (
    <section aria-labelledby="arms">
      <h2 id="arms">Arms and tasks</h2>
      <p class="quiet">
        Mean loss, from 0 to 1, where a failure costs 1; success rate; samples scored. First run of each arm.
      </p>
      <div class="wide" tabIndex={0} role="region" aria-labelledby="arms">
        <table class="plain-table">
          <thead>
            <tr>
              <th>Arm</th>
              <th>Model</th>
              <th>Condition</th>
              {study.tasks.map((task) => (
                <th key={task}>{task}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {scope.arms.map((arm) => (
              <tr key={arm.key}>
                <th scope="row">
                  <a href={armLink(scope, arm.key)}>{arm.name}</a>
                  {arm.runs.length > 1 && <div class="quiet">{many(arm.runs.length, "run")}</div>}
                </th>
                <td>{arm.model}</td>
                <td>{arm.condition}</td>
                {study.tasks.map((task) => (
                  <td key={task}>
                    <Cell run={arm.runs[0] ?? ""} task={task} href={armLink(scope, arm.key, task)} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Cell({ run, task, href }: { run: string; task: string; href: string }) {
  const mean = runLine(run)?.means.find((one) => one.task === task);
  if (!mean) return <span class="quiet">–</span>;
  return (
    <a class="cell" href={href}>
      <Loss value={mean.loss} />
      <span class="quiet">
        {percent(mean.success_rate)} of {mean.scored}
      </span>
    </a>
  );
}
