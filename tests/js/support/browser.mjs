/** A small `browser`: storage, alarms, permissions, tabs and runtime as an extension sees them. */

/** An event; `emit` calls its listeners and waits for them. */
export function makeEvent() {
  const listeners = [];
  return {
    addListener: (listener) => void listeners.push(listener),
    emit: async (...values) => void (await Promise.all(listeners.map((listener) => listener(...values)))),
    get count() {
      return listeners.length;
    },
  };
}

const copyOf = (value) => JSON.parse(JSON.stringify(value));

/** A storage area: values go through JSON. With `isFull` every write is refused. */
export function makeArea(values = {}) {
  const onChanged = makeEvent();
  return {
    values,
    isFull: false,
    onChanged,
    get: async (key) => (key === null ? copyOf(values) : key in values ? { [key]: copyOf(values[key]) } : {}),
    async set(changes) {
      if (this.isFull) throw new Error("the quota is spent");
      Object.assign(values, copyOf(changes));
    },
    remove: async (key) => void delete values[key],
    clear: async () => Object.keys(values).forEach((key) => void delete values[key]),
  };
}

/** Set the global `browser`. `calls` has what it was asked to do, in order; `script` is what runs in a page. */
export function installBrowser({ local = {}, session = {}, granted = [], serviceJson = { server: "" } } = {}) {
  const calls = [];
  const permissions = new Set(granted);
  const call = (name, result) => async (...values) => {
    calls.push([name, ...values]);
    return result;
  };
  const browser = {
    calls,
    script: async () => [],
    isPermissionGiven: true,
    action: { openPopup: call("openPopup") },
    alarms: { create: call("createAlarm"), clearAll: call("clearAlarms"), onAlarm: makeEvent() },
    commands: { onCommand: makeEvent() },
    contextMenus: { create: (item) => void calls.push(["createMenu", item]), removeAll: call("removeMenus"), onClicked: makeEvent() },
    i18n: { getMessage: (key) => `message ${key}` },
    permissions: {
      contains: async ({ permissions: wanted }) => wanted.every((name) => permissions.has(name)),
      async request({ permissions: wanted }) {
        calls.push(["requestPermissions", wanted]);
        if (browser.isPermissionGiven) wanted.forEach((name) => permissions.add(name));
        return browser.isPermissionGiven;
      },
    },
    runtime: {
      getURL: (path) => `extension:/${path}`,
      onInstalled: makeEvent(),
      onMessage: makeEvent(),
      onStartup: makeEvent(),
      openOptionsPage: call("openOptions"),
      sendMessage: call("sendMessage"),
    },
    scripting: {
      async executeScript(details) {
        calls.push(["executeScript", details]);
        return browser.script(details);
      },
    },
    storage: { local: makeArea(local), session: makeArea(session) },
    tabs: { create: call("createTab"), query: call("queryTabs", [{ id: 7 }]) },
  };
  globalThis.browser = browser;
  globalThis.fetch = async (url) => {
    if (url !== "extension:/service.json") throw new TypeError(`no route to ${url}`);
    return new Response(JSON.stringify(serviceJson));
  };
  return browser;
}
