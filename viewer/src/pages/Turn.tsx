// One message of a conversation, with the calls it made and what came back.
import type { Call, Turn } from "../forms";
import type { Origin } from "../origin";
import { isWrong } from "../place";
import { Values } from "../parts/Values";
import { decimal, seconds, whole } from "../text";
import { showTurn } from "./showTurn";

const LONG = 700;

interface Props {
  turn: Turn;
  arm: string;
  linked: boolean;
  origin: Origin | undefined;
  /** Where the answer was measured, as the rows have it, and in a sentence. */
  place: string;
  where: string;
  /** The answer, whose numbers are marked where they were measured. */
  answer: string;
  /** The call that gave each picture. */
  made: ReadonlyMap<string, number>;
  /** How the conversation failed in this turn; empty where it did not. */
  ended: string;
}

export function TurnCard({ turn, arm, linked, origin, place, where, answer, made, ended }: Props) {
  const role = roleOf(turn);
  const marked = ended ? "failed" : origin ? (isWrong(place) ? "wrong" : "origin") : "";
  const facts = [
    turn.tokens_out === null ? "" : `${whole(turn.tokens_out)} tokens`,
    turn.seconds === null ? "" : seconds(turn.seconds),
    ["", "stop", "tool_calls", "STOP"].includes(turn.finish) ? "" : `ended by ${turn.finish}`,
  ].filter(Boolean);
  return (
    <article
      class={`turn ${turn.role} ${marked} ${linked ? "linked" : ""}`}
      aria-label={`Turn ${turn.number}, ${role}`}
      tabIndex={-1}
    >
      <header>
        <button
          type="button"
          class="link"
          aria-pressed={linked}
          onClick={() => showTurn(arm, linked ? undefined : turn.number)}
        >
          Turn {turn.number}
        </button>
        <span>{role}</span>
        <span class="push" />
        <span class="quiet" title={turn.version}>
          {facts.join(" · ")}
        </span>
      </header>
      {ended && <p class="mark">The conversation ended here: {ended}</p>}
      {origin && (
        <p class="mark">
          {originWords(origin)} {isWrong(place) && where}
        </p>
      )}
      {turn.thoughts && (
        <details>
          <summary>Thoughts ({whole(turn.thoughts.length)} characters)</summary>
          <pre class="text">{turn.thoughts}</pre>
        </details>
      )}
      <Text turn={turn} />
      {turn.pictures.map((name) =>
        made.has(name) ? (
          <p key={name} class="quiet">
            The image of call {made.get(name)} is sent with this message.
          </p>
        ) : (
          <Pixels key={name} name={name} about={`Image sent with turn ${turn.number}`} />
        ),
      )}
      {turn.calls.map((call) => (
        <CallCard key={call.number} call={call} answer={call.number === origin?.call ? answer : ""} />
      ))}
    </article>
  );
}

function roleOf(turn: Turn): string {
  if (turn.role === "assistant") return "Model";
  if (turn.role === "system") return "System";
  return turn.number <= 2 ? "Question" : "Message to the model";
}

function originWords(origin: Origin): string {
  if (origin.by === "itself") return "The answer was stated here.";
  const call = origin.call === undefined ? "" : ` in call ${origin.call} (${origin.tool})`;
  return origin.by === "number"
    ? `The numbers of the answer stand in the result here${call}.`
    : `The answer was measured here${call}.`;
}

function Text({ turn }: { turn: Turn }) {
  if (!turn.text) return turn.calls.length || turn.pictures.length ? null : <p class="quiet">No visible text.</p>;
  const cut = turn.cut && (
    <p class="quiet">The text is longer than the viewer shows; the run's folder has all of it.</p>
  );
  if (turn.role === "assistant" && turn.text.length <= 4 * LONG)
    return (
      <>
        <pre class="text">{turn.text}</pre>
        {cut}
      </>
    );
  if (turn.text.length <= LONG / 2) return <pre class="text">{turn.text}</pre>;
  return (
    <details>
      <summary>
        {turn.text.slice(0, 90).replaceAll(/\s+/g, " ")} … ({whole(turn.text.length)} characters)
      </summary>
      <pre class="text">{turn.text}</pre>
      {cut}
    </details>
  );
}

function CallCard({ call, answer }: { call: Call; answer: string }) {
  return (
    <div class={call.ok ? "call" : "call failed"}>
      <header>
        <span class="quiet">call {call.number}</span> <b>{call.tool}</b>
        {!call.ok && <span class="chip warn">failed</span>}
        {call.shown === false && <span class="chip warn">the model did not see the result</span>}
        <span class="push" />
        <span class="quiet">
          {call.seconds < 0.1 ? `${decimal(call.seconds * 1000, 0)} ms` : seconds(call.seconds)}
        </span>
      </header>
      <Values json={call.arguments} name={`Arguments of call ${call.number}`} />
      {call.failure && <p class="mark">{call.failure}</p>}
      {call.result && (
        <>
          <div class="quiet">Result</div>
          <Values json={call.result} name={`Result of call ${call.number}`} answer={answer} />
        </>
      )}
      {call.picture && (
        <Pixels name={call.picture} about={`Image that ${call.tool} gave back in call ${call.number}`} />
      )}
      {call.picture_shown === false && <p class="quiet">The model did not see this image.</p>}
    </div>
  );
}

function Pixels({ name, about }: { name: string; about: string }) {
  // A name is a hash that we made ourselves; anything else is no picture.
  if (!/^[\w-]+$/.test(name)) return null;
  const file = `pictures/${name}.png`;
  return (
    <a href={file} target="_blank" rel="noreferrer" class="pixels">
      <img src={file} alt={about} loading="lazy" />
    </a>
  );
}
