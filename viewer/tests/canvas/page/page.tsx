// A page with nothing but the canvas, for tests in a browser: the arms are data/arms.json, the images pictures/NAME.png.
import { render } from "preact";
import { useState } from "preact/hooks";
import "./page.css";
import { MeasuringCanvas, type ArmScene, type Chosen } from "../../../src/canvas";

const read = async (name: string): Promise<Uint8Array> =>
  new Uint8Array(await (await fetch(`pictures/${name}.png`)).arrayBuffer());

function Page({ arms }: { arms: ArmScene[] }) {
  const [chosen, setChosen] = useState<Chosen | null>(null);
  return (
    <main>
      <h1>{arms.map((arm) => arm.name).join(", ")}</h1>
      <MeasuringCanvas
        arms={arms}
        chosen={chosen}
        read={read}
        onPick={(turn, call, arm) => setChosen({ turn: turn ?? undefined, call: call ?? undefined, arm })}
      />
      <p id="picked">{chosen ? `${chosen.arm ?? ""} ${chosen.turn ?? "-"} ${chosen.call ?? "-"}` : ""}</p>
    </main>
  );
}

const arms = (await (await fetch("data/arms.json")).json()) as ArmScene[];
const root = document.getElementById("app");
if (root) render(<Page arms={arms} />, root);
