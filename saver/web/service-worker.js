/**
 * Catches what a share menu sends to the installed page, so that the text stays on the device. It stores nothing,
 * and it answers no other request.
 */

// The worker's own interfaces, which the types of a page do not have.
const worker = /** @type {any} */ (self);
/** @type {[string, FormDataEntryValue][] | null} */
let shared = null;

// One of before would not know the page of now.
worker.addEventListener("install", () => worker.skipWaiting());

worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const { request } = event;
  const isShare = request.method === "POST" && request.url === new URL("share", worker.registration.scope).href;
  if (isShare) event.respondWith(keep(request));
});

// The page asks; what it has got is not kept.
worker.addEventListener("message", (/** @type {any} */ event) => {
  if (event.data !== "take-shared") return;
  event.ports[0].postMessage(shared);
  shared = null;
});

/** @param {Request} request */
async function keep(request) {
  try {
    shared = [...(await request.formData()).entries()];
  } catch {
    // Not what a share menu sends.
    shared = null;
  }
  return Response.redirect(new URL("#share", worker.registration.scope).href, 303);
}
