import { Swatch } from "./Controls";
import { TRUTH, isLit, type Chosen, type Placed } from "./marks";

interface Props {
  readonly marks: readonly Placed[];
  readonly looked: string | null;
  readonly chosen: Chosen | null;
  /** The key of the mark that was clicked in the table: it stands out on the canvas. */
  readonly pinned: string | null;
  readonly onPin: (key: string | null) => void;
  readonly onLook: (key: string | null) => void;
  readonly onPick: (mark: Placed) => void;
}

/** All marks in words, arm by arm: what the canvas shows, for those who read it, and a way to find each. */
export function MarkTable({ marks, looked, chosen, pinned, onPin, onLook, onPick }: Props) {
  const arms = [...new Set(marks.map((one) => one.arm))].sort((a, b) => Number(b === TRUTH) - Number(a === TRUTH));
  return (
    <div class="mc-marks">
      <table>
        <caption>Marks ({marks.length})</caption>
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col">Measures</th>
            <th scope="col">Where</th>
          </tr>
        </thead>
        {arms.map((arm) => (
          <tbody key={arm}>
            <tr>
              <th scope="rowgroup" colSpan={3}>
                {arm}
              </th>
            </tr>
            {marks
              .filter((one) => one.arm === arm)
              .map((one) => (
                <tr
                  key={one.key}
                  class={looked === one.key || isLit(one, pinned, chosen) ? "mc-lit" : ""}
                  onPointerEnter={() => onLook(one.key)}
                  onPointerLeave={() => onLook(null)}
                >
                  <td>
                    <button
                      type="button"
                      onFocus={() => onLook(one.key)}
                      onBlur={() => onLook(null)}
                      aria-pressed={pinned === one.key}
                      onClick={() => onPin(pinned === one.key ? null : one.key)}
                    >
                      <Swatch colour={one.colour} dashed={arm === TRUTH} />
                      <span>{nameOf(one)}</span>
                    </button>
                  </td>
                  <td>{one.mark.value}</td>
                  <td class="mc-where">
                    <Where one={one} onPick={onPick} />
                  </td>
                </tr>
              ))}
          </tbody>
        ))}
      </table>
    </div>
  );
}

/** The name of a mark under the heading of its arm, which is not said twice. */
const nameOf = ({ arm, mark }: Placed): string =>
  arm === TRUTH ? mark.name.replace(/^ground truth: /, "") : mark.name;

/** The turn and the call that made a mark; the turn is a way to it. */
function Where({ one, onPick }: { one: Placed; onPick: (mark: Placed) => void }) {
  const { turn, call } = one.mark;
  if (turn === null) return null;
  return (
    <>
      <button type="button" class="mc-jump" onClick={() => onPick(one)}>
        turn {turn}
      </button>
      {call !== null && `, call ${call}`}
    </>
  );
}
