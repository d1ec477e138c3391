// The measuring canvas over the conversations.
import type { Take } from "../data/useSample";
import type { Settings } from "../route";

const COLOURS = ["#f5a623", "#56b4e9", "#35c490", "#e58cc0"];
export const colourOf = (number: number): string => COLOURS[number % COLOURS.length] ?? "#888";

export function Picture({ takes }: { takes: Take[]; settings: Settings }) {
  const scene = takes.find((take) => take.talk?.scene)?.talk?.scene;
  if (!scene) return null;
  return <p class="notice">{scene.shown.about}</p>;
}
