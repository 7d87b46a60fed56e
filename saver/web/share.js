/** A text from the share menu of a phone, which the service worker has caught. */

/** The fragment of the address that the worker leads to. */
export const SHARE_FRAGMENT = "#share";

const PATIENCE = 3_000;
const isAddress = (/** @type {string} */ text) => /^https?:\/\/\S+$/.test(text);

/** @typedef {[string, FormDataEntryValue][]} Entries the fields of the form, by the manifest's names */

/**
 * Start the worker where the page is installed, or as soon as it is: nobody else can share with it, and it would
 * be a trace on a computer that is not one's own.
 * @param {string | URL} script the address of the worker
 * @param {ServiceWorkerContainer} [container]
 */
export function registerShareWorker(script, container = globalThis.navigator?.serviceWorker) {
  // Not where the page came over plain http.
  if (!container) return;
  const register = () => container.register(script).catch(() => {});
  if (matchMedia("(display-mode: standalone)").matches) register();
  window.addEventListener("appinstalled", register);
}

/**
 * What was shared, once: it is nowhere any more afterwards.
 * @param {ServiceWorkerContainer} [container]
 * @param {number} [patience] in ms; a worker that was ended has forgotten the text, and an old one may be silent
 * @returns {Promise<{text: string} | null>}
 */
export async function takeShared(container = globalThis.navigator?.serviceWorker, patience = PATIENCE) {
  try {
    const worker = (await container?.getRegistration())?.active;
    const entries = worker && (await ask(worker, patience));
    const text = entries ? await textOf(entries) : "";
    return text ? { text } : null;
  } catch {
    return null;
  }
}

/**
 * @param {ServiceWorker} worker
 * @param {number} patience
 * @returns {Promise<Entries | null>}
 */
function ask(worker, patience) {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    /** @param {Entries | null} entries */
    const end = (entries) => {
      clearTimeout(timer);
      port1.close();
      resolve(entries);
    };
    const timer = setTimeout(() => end(null), patience);
    port1.onmessage = ({ data }) => end(data);
    worker.postMessage("take-shared", [port2]);
  });
}

/** @param {Entries} entries */
async function textOf(entries) {
  /** @param {string} name */
  const valuesOf = (name) => entries.filter(([each]) => each === name).map(([, value]) => value);
  const values = [...valuesOf("text"), ...valuesOf("url"), ...valuesOf("files")];
  const parts = await Promise.all(values.map((each) => (typeof each === "string" ? each : each.text())));
  const [title] = valuesOf("title");
  // The title of a page says nothing that its address does not, and "text" and "url" often are the same.
  const isLink = parts.some((part) => isAddress(part.trim()));
  if (typeof title === "string" && !isLink && !parts.some((part) => part.includes(title))) parts.unshift(title);
  return [...new Set(parts)].filter((part) => part.trim()).join("\n");
}
