// What happened on a sample, in sentences: who was right, by how much they differ, and in which turn it came about.
import { wordAt } from "../data/columns";
import type { Take } from "../data/useSample";
import { originOf } from "../origin";
import type { Settings } from "../route";
import { factsOf } from "../facts";
import { isSlight } from "../parts/numbers";
import { isWrong, placeSaid } from "../place";
import { decimal, signed } from "../text";
import { showTurn } from "./showTurn";

export const lossOf = (take: Take): number | undefined => take.run?.lists.loss[take.position] ?? undefined;
export const outcomeOf = (take: Take): string =>
  take.talk?.outcome ?? (take.run ? wordAt(take.run.words.outcome, take.position) : "");

/** Where the answer was measured; it may be worked out only after the conversation was read. */
export const placeOf = (take: Take): string =>
  take.talk?.place || (take.run ? wordAt(take.run.words.place, take.position) : "");

export function Findings({ takes, settings }: { takes: Take[]; settings: Settings }) {
  const [first, ...others] = takes;
  return (
    <section class="findings" aria-label="What happened">
      {first && others.map((take) => <Compared key={take.arm.key} before={first} after={take} />)}
      <ul>
        {takes.map((take) => (
          <li key={take.arm.key}>
            <Swatch colour={take.colour} /> <Said take={take} settings={settings} />
          </li>
        ))}
      </ul>
    </section>
  );
}

export function Swatch({ colour }: { colour: string }) {
  return (
    <svg class="swatch" viewBox="0 0 10 10" aria-hidden="true">
      <rect width="10" height="10" rx="2" fill={colour} />
    </svg>
  );
}

function Compared({ before, after }: { before: Take; after: Take }) {
  const [a, b] = [lossOf(before), lossOf(after)];
  if (a === undefined || b === undefined) return null;
  const [old, name] = [before.arm.key, after.arm.key];
  const change = b - a;
  if (change === 0)
    return (
      <p class="verdict">
        <b>{name}</b> and <b>{old}</b> have the same loss on this sample, {decimal(a)}.
      </p>
    );
  return (
    <p class={`verdict ${isSlight(change) ? "" : change > 0 ? "worse" : "better"}`}>
      <span aria-hidden="true">{change > 0 ? "▲" : "▼"}</span> On this sample <b>{name}</b> was{" "}
      <b>{change > 0 ? "worse" : "better"}</b> than <b>{old}</b>: its loss is {decimal(b)} instead of {decimal(a)} (
      {signed(change)}).
    </p>
  );
}

function Said({ take, settings }: { take: Take; settings: Settings }) {
  const { talk, arm } = take;
  const outcome = outcomeOf(take);
  const name = <b>{arm.key}</b>;
  if (!talk)
    return (
      <>
        {name}: {take.problem || (outcome ? "reading the conversation …" : "not finished.")}
      </>
    );
  const last = talk.turns.findLast((turn) => turn.role === "assistant");
  if (outcome !== "answered")
    return (
      <>
        {name} gave no answer that can be scored: {outcome.replaceAll("_", " ")}.{" "}
        {last && (
          <TurnLink arm={arm.key} turn={last.number} settings={settings} text={`turn ${last.number}, where it ended`} />
        )}
      </>
    );
  const origin = originOf(talk);
  const facts = factsOf(talk, origin);
  const tool = origin?.tool ? ` (${origin.tool})` : "";
  const how = {
    mark: "It was measured in",
    points: "It was measured in",
    number: "Its numbers stand in the result of",
  };
  const none = talk.turns.every((turn) => turn.calls.length === 0);
  const stated = none ? "It was stated without a tool, in" : "It was stated in";
  return (
    <>
      {name} answered <b>{talk.answer || "nothing that can be read"}</b>.{" "}
      {origin && (
        <>
          {origin.by === "itself" ? stated : how[origin.by]}{" "}
          <TurnLink arm={arm.key} turn={origin.turn} settings={settings} text={`turn ${origin.turn}${tool}`} />.{" "}
        </>
      )}
      <span class={isWrong(placeOf(take)) ? "wrong-place" : ""}>{placeSaid(placeOf(take), talk)}</span>
      {facts.length > 0 && <span class="facts"> What is known of it: {facts.join("; ")}.</span>}
    </>
  );
}

function TurnLink({ arm, turn, text, settings }: { arm: string; turn: number; text: string; settings: Settings }) {
  const now = settings["on"] === arm && settings["turn"] === String(turn);
  return (
    <button type="button" class="link" aria-pressed={now} onClick={() => showTurn(arm, turn)}>
      {text}
    </button>
  );
}
