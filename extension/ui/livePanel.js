/** A live transfer on the screen: the live code, what happens, and how it ended. Loaded when it is needed. */

import { formatLiveCode, readLiveCode } from "../core/liveCodes.js";
import { OtherRole } from "../core/liveErrors.js";
import * as live from "../core/live.js";
import { LIFETIME } from "../core/liveTransfer.js";
import { makeCountdown } from "./countdown.js";
import { byPart } from "./dom.js";
import { liveMessage } from "./liveMessages.js";

/** @typedef {import("../core/liveCodes.js").LiveCode} LiveCode */
/** @typedef {import("../core/liveTransfer.js").LiveTransfer} LiveTransfer */
/** @typedef {import("./liveEntry.js").LiveRequest} LiveRequest */

// Between two questions whether the text has been read, in ms.
const RECEIPT_PAUSE = 1_000;

/**
 * @param {Parameters<typeof import("./liveEntry.js").makeLiveEntry>[0] & {
 *   onTextWanted: (liveCode: LiveCode) => void,
 *   flow?: Pick<typeof live, "makeLive" | "canTransferLive">,
 *   sleep?: (milliseconds: number) => Promise<void>,
 * }} options
 */
export function makeLivePanel({ root, i18n, api, service, items, save, load, onTextWanted, ...tools }) {
  const { flow = live, sleep = (milliseconds) => new Promise((resolve) => void setTimeout(resolve, milliseconds)) } = tools;
  const panel = byPart(root, "live-panel");
  const others = [byPart(root, "load-panel"), byPart(root, "save-panel")];
  const status = byPart(root, "live-status");
  const alert = byPart(root, "live-alert");
  const againButton = byPart(root, "live-again");
  const endButton = byPart(root, "live-cancel");
  const codeElement = byPart(root, "live-code");
  const countdown = makeCountdown(i18n, byPart(root, "live-left"));
  const client = flow.makeLive({ api, service, stateItem: items.state, attemptsItem: items.attempts });
  /** @type {LiveTransfer | null} */
  let current = null;
  /** What was asked for, to begin again. @type {LiveRequest} */
  let asked = {};
  // Which transfer is on the screen: one that was cancelled has nothing to say any more.
  let newest = 0;
  // It comes before the transfer itself does.
  /** @type {import("../core/liveTransfer.js").LiveProgress} */
  let latest = { name: "waiting" };
  let isRunning = false;

  /** @param {boolean} isShown */
  function setShown(isShown) {
    panel.hidden = !isShown;
    for (const other of others) other.hidden = isShown;
  }

  function clear() {
    countdown.stop();
    for (const element of [status, alert, byPart(root, "live-spelled"), byPart(root, "live-instruction")]) i18n.clearText(element);
    codeElement.hidden = true;
    againButton.hidden = true;
    i18n.setText(endButton, "live_cancel");
  }

  /** @param {LiveTransfer} transfer */
  function showTransfer(transfer) {
    clear();
    setShown(true);
    if (transfer.isMaker) showCode(transfer);
    onState(latest);
    panel.scrollIntoView({ block: "nearest" });
    endButton.focus({ preventScroll: true });
  }

  /** @param {LiveTransfer} transfer */
  function showCode({ liveCode, role, endsAt }) {
    const { letters } = /** @type {LiveCode} */ (readLiveCode(liveCode));
    codeElement.hidden = false;
    codeElement.textContent = liveCode;
    i18n.setText(byPart(root, "live-spelled"), "spelled", (translator) => ({ letters: translator.spelling(letters) }));
    i18n.setText(byPart(root, "live-instruction"), role === "sender" ? "live_type_sender" : "live_type_receiver");
    countdown.start((endsAt - Date.now()) / 1000, () => {});
  }

  /** @param {import("../core/liveTransfer.js").LiveProgress} progress */
  function onState(progress) {
    latest = progress;
    if (progress.name === "wrong") {
      const { triesLeft } = progress;
      return i18n.setText(status, "live_wrong_there", (translator) => ({ count: translator.number(triesLeft) }));
    }
    if (progress.name === "agreed") countdown.stop();
    i18n.setText(status, progress.name === "agreed" ? "live_connected" : "live_waiting");
  }

  /** @param {Promise<LiveTransfer | null>} beginning */
  async function follow(beginning) {
    newest += 1;
    const self = newest;
    isRunning = true;
    try {
      const transfer = await beginning;
      current = transfer;
      if (!transfer) return;
      showTransfer(transfer);
      const result = await transfer.done;
      if (self === newest) await (result.role === "sender" ? showSent(result.written) : showReceived(result, transfer.liveCode));
    } catch (error) {
      if (self === newest) showError(error);
    } finally {
      if (self === newest) stop();
    }
  }

  function stop() {
    newest += 1;
    isRunning = false;
    current?.cancel();
    current = null;
  }

  /** @param {Extract<import("../core/liveTransfer.js").LiveResult, {role: "receiver"}>} result @param {string} code */
  async function showReceived({ text, acknowledge }, code) {
    clear();
    setShown(false);
    await load.showReceived({ code, text, secondsLeft: 0, once: true });
    await acknowledge();
  }

  /** @param {import("../core/api.js").Written} written */
  async function showSent({ code, ownerToken }) {
    const self = newest;
    const end = Date.now() + LIFETIME * 1000;
    i18n.setText(endButton, "close");
    while (Date.now() < end && self === newest) {
      const receipt = await api.status(code, ownerToken).catch(() => null);
      if (self !== newest) return;
      if (receipt?.state === "read") return showArrived();
      await sleep(RECEIPT_PAUSE);
    }
    if (self === newest) showFailure("live_ended");
  }

  function showArrived() {
    clear();
    i18n.setText(status, "live_arrived");
    i18n.setText(endButton, "close");
    save.clearText(asked.text ?? "");
    endButton.focus();
  }

  /** @param {unknown} error */
  function showError(error) {
    const { liveCode } = asked;
    if (error instanceof OtherRole && liveCode && asked.text === undefined) return askForText(liveCode);
    const [key, values] = liveMessage(error, liveCode !== undefined);
    if (liveCode) mend(liveCode, key, values);
    else showFailure(key, values);
  }

  /** @param {LiveCode} liveCode */
  function askForText(liveCode) {
    close();
    load.clearCode();
    onTextWanted(liveCode);
  }

  /**
   * A live code that was typed wrong is typed again in the same field.
   * @param {LiveCode} liveCode
   * @param {string} key
   * @param {import("./i18n.js").Values} [values]
   */
  function mend(liveCode, key, values) {
    close();
    load.fill(formatLiveCode(liveCode));
    load.say(key, values);
  }

  /** @param {string} key @param {import("./i18n.js").Values} [values] */
  function showFailure(key, values) {
    clear();
    setShown(true);
    i18n.setText(alert, key, values);
    i18n.setText(endButton, "close");
    againButton.hidden = false;
    againButton.focus();
  }

  function close() {
    clear();
    setShown(false);
  }

  /** @param {LiveRequest} request */
  function begin({ text, liveCode }) {
    if (liveCode) return client.joinLive(liveCode, { text, onState });
    return text === undefined ? client.receiveHere({ onState }) : client.handOver({ text, onState });
  }

  /** @param {LiveRequest} request */
  async function start(request) {
    // A second Enter after a code that went on by itself.
    if (isRunning) return undefined;
    isRunning = true;
    asked = request;
    if (await flow.canTransferLive()) return follow(begin(request));
    isRunning = false;
    if (request.text === undefined) return load.say("live_impossible");
    return save.offerPassword("live_impossible");
  }

  endButton.addEventListener("click", () => {
    stop();
    // The transfer itself ends with its next poll, and a reload until then must not go on with it.
    items.state.set(null);
    close();
    if (asked.text === undefined) load.focus();
    else save.focus();
  });
  againButton.addEventListener("click", () => {
    close();
    // After a reload the text is in the form only.
    const text = asked.text === undefined ? undefined : save.checkedText();
    if (text !== null) start({ text });
  });
  return {
    start,

    async resume() {
      const state = await items.state.get();
      if (!state) return;
      const liveCode = state.isMaker ? undefined : { number: state.number, letters: state.letters };
      asked = { text: state.text ?? (state.role === "sender" ? "" : undefined), liveCode };
      await follow(client.resume({ onState }));
    },
  };
}
