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
        <tbody>
          {marks.map((one) => (
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
                  <Swatch colour={one.colour} dashed={one.arm === TRUTH} />
                  <span>{one.mark.name}</span>
                </button>
              </td>
              <td>{one.mark.value}</td>
              <td>{whereOf(one)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function whereOf({ mark, arm }: Placed): string {
  if (mark.turn === null) return arm;
  return mark.call === null ? `${arm}, turn ${mark.turn}` : `${arm}, turn ${mark.turn}, call ${mark.call}`;
}
