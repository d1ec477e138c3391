// Which arms are side by side, and on a phone, which of them is in sight.
import { type Arm, repeatsOf, type Scope } from "../data/scope";
import { MOST_ARMS } from "../data/useSample";
import { change, type Settings } from "../route";

/** Arms that are listed without a menu. */
const FEW = 8;

interface Props {
  scope: Scope;
  arms: Arm[];
  open: string;
  setOpen: (key: string) => void;
  settings: Settings;
}

export function ArmPicker({ scope, arms, open, setOpen, settings }: Props) {
  const keys = arms.map((arm) => arm.key);
  const toggle = (key: string) => {
    const next = keys.includes(key) ? keys.filter((one) => one !== key) : [...keys, key];
    if (next.length) change({ arms: next.join(",") });
  };
  const most = Math.max(...arms.map(repeatsOf));
  const boxes = (
    <fieldset>
      <legend class="unseen">Arms side by side, at most {MOST_ARMS}</legend>
      {scope.arms.length <= FEW && (
        <span aria-hidden="true" class="quiet">
          Side by side:
        </span>
      )}
      {scope.arms.map((arm) => (
        <label key={arm.key}>
          <input
            type="checkbox"
            checked={keys.includes(arm.key)}
            disabled={!keys.includes(arm.key) && keys.length >= MOST_ARMS}
            onChange={() => toggle(arm.key)}
          />
          {arm.key}
        </label>
      ))}
    </fieldset>
  );
  return (
    <div class="arm-picker">
      {scope.arms.length > 1 && scope.arms.length <= FEW && boxes}
      {scope.arms.length > FEW && (
        <details>
          <summary>
            Side by side: {keys.join(", ")} (choose from {scope.arms.length} arms)
          </summary>
          {boxes}
        </details>
      )}
      {most > 1 && (
        <label>
          <span>Run of each arm</span>
          <select value={settings["nth"] ?? "1"} onChange={(event) => change({ nth: event.currentTarget.value })}>
            {Array.from({ length: most }, (_, k) => (
              <option key={k} value={String(k + 1)}>
                {k + 1}
              </option>
            ))}
          </select>
        </label>
      )}
      {arms.length > 1 && (
        <div class="tabs" role="group" aria-label="Conversation in sight">
          {arms.map((arm) => (
            <button key={arm.key} type="button" aria-pressed={arm.key === open} onClick={() => setOpen(arm.key)}>
              {arm.key}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
