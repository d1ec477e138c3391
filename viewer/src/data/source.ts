// How data reach the page: as JSON from a server, or in a bundle as classic scripts, which also open from disk.
import { bytesOfDataUrl } from "../canvas";
import type { Problem } from "../forms";

declare global {
  var medvision: ((part: string, value: unknown) => void) | undefined;
}

type Waiting = (value: unknown) => void;
const waiting = new Map<string, Waiting>();
let scripts: boolean | undefined = location.protocol === "file:" ? true : undefined;

globalThis.medvision = (part, value) => {
  waiting.get(part)?.(value);
  waiting.delete(part);
};

const loading = new Map<string, Promise<unknown>>();

/** Read a part from its script; one that is being read is not asked for twice. */
function byScript(part: string): Promise<unknown> {
  const promise = loading.get(part) ?? addScript(part).finally(() => loading.delete(part));
  loading.set(part, promise);
  return promise;
}

/** Add the script of a part, and wait until it has called `medvision`. */
function addScript(part: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    waiting.set(part, resolve);
    script.src = `data/${part}.js`;
    script.onload = () => {
      script.remove();
      if (waiting.delete(part)) reject(new Error(`data/${part}.js holds no data`));
    };
    script.onerror = () => {
      script.remove();
      waiting.delete(part);
      reject(new Error(`data/${part}.js is not in this bundle`));
    };
    document.head.append(script);
  });
}

async function byFetch(part: string, init?: RequestInit): Promise<unknown> {
  const reply = await fetch(`data/${part}`, { cache: "no-store", ...init });
  const json = reply.headers.get("content-type")?.startsWith("application/json") ?? false;
  const value: unknown = json ? await reply.json() : undefined;
  if (reply.ok && json) return value;
  throw new Error((value as Problem | undefined)?.error ?? `the server answered ${reply.status} for data/${part}`);
}

/** Read a part of the data. Whether a server answers or a bundle lies there is found out with the first one. */
export async function part(name: string, query = ""): Promise<unknown> {
  if (scripts === undefined) {
    try {
      const value = await byFetch(name + query);
      scripts = false;
      return value;
    } catch (error) {
      const value = await byScript(name).catch(() => undefined);
      if (value === undefined) throw error;
      scripts = true;
      return value;
    }
  }
  return scripts ? byScript(name) : byFetch(name + query);
}

/** Post a value to a server. */
export function post(name: string, value: unknown): Promise<unknown> {
  const headers = { "content-type": "application/json" };
  return byFetch(name, { method: "POST", headers, body: JSON.stringify(value) });
}

/** The bytes of the image under a canvas. A bundle has it as a text, because the pixels of a file may not be read. */
export async function imageBytes(name: string): Promise<Uint8Array> {
  if (scripts) return bytesOfDataUrl((await byScript(`shown/${name}`)) as string);
  const reply = await fetch(`pictures/${name}.png`);
  if (!reply.ok) throw new Error(`the server answered ${reply.status}`);
  return new Uint8Array(await reply.arrayBuffer());
}
