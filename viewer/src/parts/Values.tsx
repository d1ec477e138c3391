// Arguments and results of tools: their names and values, and in the call that an answer comes from, its numbers marked.
import { numbersOf } from "../origin";
import { pretty } from "../text";

const MOST = 60;

/** The names and values of a flat JSON object; undefined for anything else. */
export function flat(json: string): [string, string][] | undefined {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    const pairs = Object.entries(value);
    if (pairs.length > MOST || pairs.some(([, one]) => typeof one === "object" && one !== null)) return undefined;
    const texts = pairs.map(([key, one]): [string, string] => [key, String(one)]);
    return texts.some(([, one]) => one.length > 200 || one.includes("\n")) ? undefined : texts;
  } catch {
    return undefined;
  }
}

/** What a tool says of its own result that speaks against it. */
export const isWarning = (key: string, value: string): boolean => key === "touches_region_border" && value === "true";

export function Values({ json, name, answer = "" }: { json: string; name: string; answer?: string }) {
  const pairs = flat(json);
  if (!pairs)
    return (
      <pre class="code" tabIndex={0} role="region" aria-label={name}>
        {pretty(json)}
      </pre>
    );
  const wanted = numbersOf(answer);
  const hit = (text: string) =>
    /^-?[\d.]+(e-?\d+)?$/.test(text) &&
    wanted.some((one) => one.digits >= 2 && Math.abs(Number(text) - one.value) <= 0.5001 * 10 ** -one.decimals);
  return (
    <dl class="values" aria-label={name}>
      {pairs.map(([key, value]) => (
        <div key={key} class={isWarning(key, value) ? "warning" : hit(value) ? "hit" : ""}>
          <dt>{key}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
