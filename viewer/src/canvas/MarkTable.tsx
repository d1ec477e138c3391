import { Swatch } from "./Controls";
import { TRUTH, isChosen, type Chosen, type Placed } from "./marks";

interface Props {
  readonly marks: readonly Placed[];
  readonly looked: string | null;
  readonly chosen: Chosen | null;
  readonly onLook: (key: string | null) => void;
  readonly onPick: (mark: Placed) => void;
}

/** All marks in words, arm by arm: what the canvas shows, for those who read it, and a way to find each. */
export function MarkTable({ marks, looked, chosen, onLook, onPick }: Props) {
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
                  class={looked === one.key || isChosen(one, chosen) ? "mc-lit" : ""}
                  onPointerEnter={() => onLook(one.key)}
                  onPointerLeave={() => onLook(null)}
                >
                  <td>
                    <button
                      type="button"
                      onFocus={() => onLook(one.key)}
                      onBlur={() => onLook(null)}
                      onClick={() => onPick(one)}
                    >
                      <Swatch colour={one.colour} dashed={arm === TRUTH} />
                      <span>{one.mark.name}</span>
                    </button>
                  </td>
                  <td>{one.mark.value}</td>
                  <td class="mc-where">{whereOf(one)}</td>
                </tr>
              ))}
          </tbody>
        ))}
      </table>
    </div>
  );
}

function whereOf({ mark }: Placed): string {
  if (mark.turn === null) return "";
  return mark.call === null ? `turn ${mark.turn}` : `turn ${mark.turn}, call ${mark.call}`;
}
