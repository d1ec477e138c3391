import { Swatch } from "./Controls";
import { TRUTH, isChosen, type Chosen, type Placed } from "./marks";

interface Props {
  readonly marks: readonly Placed[];
  readonly looked: string | null;
  readonly chosen: Chosen | null;
  readonly onLook: (key: string | null) => void;
  readonly onPick: (mark: Placed) => void;
}

/** All marks in words: what the canvas shows, for those who read it, and a way to find each. */
export function MarkTable({ marks, looked, chosen, onLook, onPick }: Props) {
  const several = new Set(marks.map((one) => one.arm).filter((arm) => arm !== TRUTH)).size > 1;
  return (
    <div class="mc-marks">
      <table>
        <caption>Marks ({marks.length})</caption>
        <thead>
          <tr>
            {several && <th scope="col">Arm</th>}
            <th scope="col">What</th>
            <th scope="col">Measures</th>
            <th scope="col">Where</th>
          </tr>
        </thead>
        <tbody>
          {marks.map((one) => (
            <tr
              key={one.key}
              class={looked === one.key || isChosen(one, chosen) ? "mc-lit" : ""}
              onPointerEnter={() => onLook(one.key)}
              onPointerLeave={() => onLook(null)}
            >
              {several && <td>{one.arm}</td>}
              <td>
                <button
                  type="button"
                  onFocus={() => onLook(one.key)}
                  onBlur={() => onLook(null)}
                  onClick={() => onPick(one)}
                >
                  <Swatch colour={one.colour} dashed={one.arm === TRUTH} />
                  <span>{one.mark.name}</span>
                </button>
              </td>
              <td>{one.mark.value}</td>
              <td class="mc-where">{whereOf(one)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function whereOf({ mark, arm }: Placed): string {
  if (arm === TRUTH || mark.turn === null) return "";
  return mark.call === null ? `turn ${mark.turn}` : `turn ${mark.turn}, call ${mark.call}`;
}
