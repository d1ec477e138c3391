// How numbers and words are written for a reader.
const MISSING = "–";
const known = (value: number | null | undefined): value is number =>
  value !== null && value !== undefined && Number.isFinite(value);

/** A number with so many decimals, as all losses have them; never a negative zero. */
export function decimal(value: number | null | undefined, decimals = 3): string {
  if (!known(value)) return MISSING;
  const text = value.toFixed(decimals);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}

/** A difference, with its sign; one that is not zero but rounds to it is said to be below the last digit. */
export function signed(value: number | null | undefined, decimals = 3): string {
  const text = decimal(value, decimals);
  if (!known(value) || value === 0) return text;
  if (Number(value.toFixed(decimals)) === 0) return `${value > 0 ? "+" : "−"}<${(10 ** -decimals).toFixed(decimals)}`;
  return value > 0 ? `+${text}` : text;
}

export const percent = (share: number | null | undefined): string =>
  known(share) ? `${(share * 100).toFixed(1)}%` : MISSING;

export function dollars(value: number | null | undefined): string {
  if (!known(value)) return MISSING;
  return value !== 0 && value < 0.01 ? `$${value.toPrecision(2)}` : `$${value.toFixed(2)}`;
}

export function seconds(value: number | null | undefined): string {
  if (!known(value)) return MISSING;
  return value < 120 ? `${value.toFixed(1)} s` : `${(value / 60).toFixed(1)} min`;
}

export const whole = (value: number | null | undefined): string =>
  known(value) ? value.toLocaleString("en") : MISSING;

/** "1 sample", "2 samples". */
export const many = (count: number, one: string, more = `${one}s`): string =>
  `${whole(count)} ${count === 1 ? one : more}`;

/** JSON with line breaks where it is JSON; else as it is. */
export function pretty(json: string): string {
  try {
    const value: unknown = JSON.parse(json);
    const flat = JSON.stringify(value);
    return flat.length <= 72 ? flat.replaceAll('":', '": ').replaceAll(',"', ', "') : JSON.stringify(value, null, 1);
  } catch {
    return json;
  }
}

const LONG = 18;
const LEAD = 6;
const TAIL = 12;
const HEAD = 4;

/** A long name without its middle, where the names around it begin the same, so that the part that differs is seen. */
export function unlike(text: string, others: readonly string[]): string {
  const common = (other: string): number => {
    let at = 0;
    while (at < text.length && text[at] === other[at]) at++;
    return at;
  };
  const differs = Math.max(0, ...others.filter((other) => other !== text).map(common));
  if (text.length <= LONG || differs < LONG - LEAD) return text;
  return `${text.slice(0, HEAD)}…${text.slice(Math.min(differs - LEAD, text.length - TAIL))}`;
}
