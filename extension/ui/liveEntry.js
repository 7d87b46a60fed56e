/** Where live transfers begin: the buttons, a live code that was typed, and a reload. The rest is loaded when it is needed. */

import { byPart } from "./dom.js";

/** @typedef {import("../core/liveCodes.js").LiveCode} LiveCode */
/**
 * What a user has asked for. `text`: to send; `liveCode`: that was typed, without one this side shows one.
 * @typedef {{text?: string, liveCode?: LiveCode}} LiveRequest
 */

/**
 * @param {object} options
 * @param {ParentNode} options.root
 * @param {import("./i18n.js").I18n} options.i18n
 * @param {Pick<ReturnType<typeof import("../core/api.js").makeApi>, "live" | "write" | "load" | "ack" | "status">} options.api
 * @param {string} options.service its address
 * @param {import("../core/session.js").LiveItems} options.items
 * @param {ReturnType<typeof import("./savePanel.js").makeSavePanel>} options.save
 * @param {ReturnType<typeof import("./loadPanel.js").makeLoadPanel>} options.load
 * @param {(request: LiveRequest) => Promise<void>} [options.elsewhere] does it in a window that stays open
 * @param {() => Promise<ReturnType<typeof import("./livePanel.js").makeLivePanel>>} [options.makePanel]
 */
export function makeLiveEntry(options) {
  const { root, i18n, items, save, load, elsewhere } = options;
  const sendButton = byPart(root, "hand-over");
  const receiveButton = byPart(root, "receive-here");
  const notice = byPart(root, "save-notice");
  const makePanel = options.makePanel ?? (async () => (await import("./livePanel.js")).makeLivePanel({ ...options, onTextWanted }));
  /** @type {ReturnType<typeof makePanel> | null} */
  let panel = null;
  let isSupported = false;
  /** Where the other side waits for a text. @type {LiveCode | undefined} */
  let waiting;

  async function getPanel() {
    panel ??= makePanel();
    try {
      return await panel;
    } catch (error) {
      // Without a connection its files did not come: the next press tries again.
      panel = null;
      throw error;
    }
  }

  /** @param {LiveRequest} request */
  async function start(request) {
    if (elsewhere) return elsewhere(request);
    try {
      await (await getPanel()).start(request);
    } catch {
      if (request.text === undefined) load.say("load_unreachable");
      else save.say("unreachable");
    }
  }

  /** The other computer has pressed "receive here": nothing is sent without another press. @param {LiveCode} liveCode */
  function onTextWanted(liveCode) {
    waiting = liveCode;
    i18n.setText(sendButton, "live_send");
    setMain(true);
    i18n.setText(notice, "live_text_wanted");
    save.focus();
    if (!save.isEmpty()) sendButton.focus();
    notice.scrollIntoView({ block: "nearest" });
  }

  /** @param {boolean} isWaiting */
  function setMain(isWaiting) {
    sendButton.className = isWaiting ? "main" : "plain";
    byPart(root, "save").className = isWaiting ? "plain" : "main";
  }

  function forgetWaiting() {
    if (!waiting) return;
    waiting = undefined;
    i18n.setText(sendButton, "hand_over");
    setMain(false);
    i18n.clearText(notice);
  }

  sendButton.addEventListener("click", async () => {
    const text = save.checkedText();
    const liveCode = waiting;
    if (text === null) return;
    forgetWaiting();
    await start({ text, liveCode });
  });
  // A code was wanted instead.
  byPart(root, "save-form").addEventListener("submit", forgetWaiting);
  receiveButton.addEventListener("click", async () => {
    forgetWaiting();
    await start({});
  });

  return {
    start,
    onTextWanted,

    /** @param {import("../core/limits.js").Limits} limits */
    applyLimits({ live }) {
      isSupported = Boolean(live);
      byPart(root, "live-hint").hidden = sendButton.hidden = receiveButton.hidden = !live;
    },

    /** @param {LiveCode} liveCode */
    join(liveCode) {
      forgetWaiting();
      return isSupported ? start({ liveCode }) : load.say("live_unsupported");
    },

    /** Go on after a reload. */
    async resume() {
      if (await items.state.get()) await (await getPanel()).resume();
    },
  };
}
