"""Scripts that run in Firefox's own window; there is no other interface for what they do."""

# Before the extension is installed, because it does not follow a later change of the language.
LOCALES = """(language) => {
    Services.locale.availableLocales = ["ko", "en-US"];
    Services.locale.requestedLocales = [language === "en" ? "en-US" : language];
}"""

SIZE = """(width, height) => {
    const { style } = gBrowser.selectedBrowser;
    // The page, not the window: a window of Firefox is never as narrow as a telephone.
    [style.maxWidth, style.minWidth] = [`${width}px`, `${width}px`];
    [style.maxHeight, style.minHeight] = [`${height}px`, `${height}px`];
}"""

COPIED = """() => {
    const transfer = Cc["@mozilla.org/widget/transferable;1"].createInstance(Ci.nsITransferable);
    transfer.init(null);
    transfer.addDataFlavor("text/plain");
    Services.clipboard.getData(transfer, Services.clipboard.kGlobalClipboard);
    const found = {};
    try {
        transfer.getTransferData("text/plain", found);
    } catch {
        return "";
    }
    return found.value.QueryInterface(Ci.nsISupportsString).data;
}"""

COPY = """(text) => {
    Cc["@mozilla.org/widget/clipboardhelper;1"].getService(Ci.nsIClipboardHelper).copyString(text);
}"""

# If an extension has several items, they are in a submenu.
CHOOSE = """async (wanted) => {
    const shown = (popup) => popup.state === "open" ? null
        : new Promise((done) => popup.addEventListener("popupshown", done, { once: true }));
    const menu = document.getElementById("contentAreaContextMenu");
    await shown(menu);
    const item = menu.querySelector(`[id$="-menuitem-_${wanted}"]`);
    if (!item) throw new Error(`no item ${wanted} in the menu`);
    const parent = item.parentNode;
    if (parent !== menu) {
        const opened = shown(parent);
        parent.parentNode.openMenu(true);
        await opened;
    }
    const hidden = new Promise((done) => menu.addEventListener("popuphidden", done));
    parent.activateItem(item);
    await hidden;
}"""

# A key pressed by WebDriver reaches only the page, so the shortcut's element gets the event directly.
COMMAND = """async (id, name) => {
    const all = await WebExtensionPolicy.getByID(id).extension.shortcuts.allCommands();
    const letter = all.find((each) => each.name === name).shortcut.at(-1);
    const key = document.querySelector(`keyset[id^="ext-keyset-id"] key[key="${letter}"]`);
    key.dispatchEvent(new Event("command", { bubbles: true }));
}"""

# What a click on the extension's button does, before anything is shown.
LEND = """(id) => {
    const { tabManager } = WebExtensionPolicy.getByID(id).extension;
    tabManager.addActiveTabPermission(gBrowser.selectedTab);
    return tabManager.getWrapper(gBrowser.selectedTab).id;
}"""

# A real click outside closes it, but a click by WebDriver does not.
CLOSE_POPUP = """() => document.getElementById("customizationui-widget-panel")?.hidePopup()"""

# WebDriver reaches only pages in tabs; these keys go to the element that has the focus in the window.
PRESS_IN_POPUP = """(keys) => {
    document.querySelector("#customizationui-widget-panel .webextension-popup-browser").focus();
    const processor = Cc["@mozilla.org/text-input-processor;1"].createInstance(Ci.nsITextInputProcessor);
    if (!processor.beginInputTransactionForTests(window)) throw new Error("no keys can be pressed");
    for (const key of keys) {
        const isLetter = key.length === 1;
        const code = isLetter ? `Key${key.toUpperCase()}` : key;
        const keyCode = isLetter ? key.toUpperCase().charCodeAt(0) : 13;
        const event = new KeyboardEvent("", { key, code, keyCode });
        processor.keydown(event);
        processor.keyup(event);
    }
}"""

KILL = """(id) => WebExtensionPolicy.getByID(id).extension.terminateBackground()"""
