// The list of keys, and where they work.
import { useEffect, useRef } from "preact/hooks";
import { HANDLES } from "../canvas";
import { allKeys, helping } from "../keys";
import { route } from "../route";

const NAMES: Record<string, string> = { ArrowDown: "↓", ArrowUp: "↑", Escape: "Esc", " ": "Space" };

export function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  const close = () => (helping.value = false);
  return (
    <dialog ref={dialog} class="help" aria-labelledby="help-title" onClose={close} onCancel={close}>
      <h2 id="help-title">Keys on this page</h2>
      <dl>
        {allKeys().map((key) => (
          <div key={key.keys.join()}>
            <dt>
              {key.keys.map((one) => (
                <kbd key={one}>{NAMES[one] ?? one}</kbd>
              ))}
            </dt>
            <dd>{key.does}</dd>
          </div>
        ))}
      </dl>
      {route.value.page === "sample" && (
        <>
          <h3>On the canvas</h3>
          <dl>
            {HANDLES.map(([how, does]) => (
              <div key={how}>
                <dt>{how}</dt>
                <dd>{does}</dd>
              </div>
            ))}
          </dl>
        </>
      )}
      <h3>Words</h3>
      <p>
        <b>Loss</b> is from 0 (exact) to 1 (as wrong as can be, or no answer). A <b>difference</b> is the loss of one
        arm minus that of the other on the same sample: above zero is harm. Each number is rounded by itself, so that a
        difference may be off by 0.001 from that of the losses beside it.
      </p>
      <p>
        <b>Place</b> says whether the answer was measured where the ground truth lies. A box is in the right place from
        an IoU of 0.25 on; else it is <b>too large</b> (it contains the ground truth), <b>too small</b> (it lies inside
        it), <b>partly</b> on it, or <b>elsewhere</b> (they do not overlap). A size is <b>elsewhere</b> where its centre
        lies outside the true ellipse. A distance has <b>other ends</b>, and an angle <b>other lines</b>, where these
        lie too far from the true ones.
      </p>
      <button type="button" onClick={close}>
        Close
      </button>
    </dialog>
  );
}
