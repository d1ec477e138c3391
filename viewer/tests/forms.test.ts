// @vitest-environment node
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { forms } from "../forms.mjs";

test("the types are those of the schema: npm run forms writes them anew", async () => {
  expect(readFileSync("src/forms.ts", "utf-8")).toBe(await forms());
});
