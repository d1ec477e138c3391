// The measuring canvas over the conversations, with the marks of the turn that is linked.
import { useMemo } from "preact/hooks";
import { type ArmScene, MeasuringCanvas } from "../canvas";
import { imageBytes } from "../data/source";
import type { Take } from "../data/useSample";
import type { Settings } from "../route";
import { showTurn } from "./showTurn";

export function Picture({ takes, settings }: { takes: Take[]; settings: Settings }) {
  const talks = takes.map((take) => take.talk);
  const arms = useMemo(() => {
    const scenes: ArmScene[] = [];
    for (const { arm, colour, talk } of takes)
      if (talk?.scene) scenes.push({ name: arm.key, colour, scene: talk.scene });
    return scenes;
  }, talks);
  const turn = Number(settings["turn"] ?? NaN);
  const chosen = useMemo(
    () => (settings["on"] && Number.isInteger(turn) ? { arm: settings["on"], turn } : null),
    [settings["on"], turn],
  );
  const pick = (turnOf: number | null, _call: number | null, arm: string) => {
    if (turnOf !== null) showTurn(arm, turnOf);
  };
  const without = takes.filter((take) => take.talk?.no_scene);
  return (
    <>
      {arms.length > 0 && <MeasuringCanvas arms={arms} chosen={chosen} onPick={pick} read={imageBytes} />}
      {without.map((take) => (
        <p key={take.arm.key} class="notice">
          No canvas for {take.arm.key}: {take.talk?.no_scene}.
        </p>
      ))}
    </>
  );
}
