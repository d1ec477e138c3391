// What stands where a link names something that is not here.
import { link } from "../route";

export function Missing({ what }: { what: string }) {
  return (
    <section class="notice">
      <h1>There is no such {what} here</h1>
      <p>
        The link may come from another folder or from an older copy. <a href={link("home")}>See all runs</a>.
      </p>
    </section>
  );
}
