/** Tabs, as the ARIA Authoring Practices describe them: arrow keys move, and what is reached is shown. */

/**
 * @param {HTMLElement} list with `role="tablist"`
 * @param {(name: string) => void} chosen told the name of the tab: its `data-part`
 */
export function makeTabs(list, chosen) {
  const tabs = () => /** @type {HTMLElement[]} */ ([...list.querySelectorAll('[role="tab"]')]).filter((tab) => !tab.hidden);

  /** @param {HTMLElement} tab */
  const panelOf = (tab) => document.getElementById(tab.getAttribute("aria-controls") ?? "");

  /** @param {HTMLElement} wanted */
  function show(wanted) {
    for (const tab of tabs()) {
      const isShown = tab === wanted;
      tab.setAttribute("aria-selected", String(isShown));
      tab.tabIndex = isShown ? 0 : -1;
      const panel = panelOf(tab);
      if (panel) panel.hidden = !isShown;
    }
    chosen(wanted.dataset.part ?? "");
  }

  /** @param {KeyboardEvent} event */
  function move(event) {
    const all = tabs();
    const here = all.indexOf(/** @type {HTMLElement} */ (event.target));
    const there = { ArrowRight: here + 1, ArrowLeft: here - 1, Home: 0, End: all.length - 1 }[event.key];
    if (here < 0 || there === undefined) return;
    event.preventDefault();
    const tab = all[(there + all.length) % all.length];
    show(tab);
    tab.focus();
  }

  list.addEventListener("click", (event) => {
    const tab = /** @type {HTMLElement} */ (event.target).closest('[role="tab"]');
    if (tab) show(/** @type {HTMLElement} */ (tab));
  });
  list.addEventListener("keydown", move);
  return {
    /**
     * @param {string} name the first tab is shown where there is none of this name
     * @returns {string} the name of the tab that is shown
     */
    show(name) {
      const all = tabs();
      const tab = all.find((each) => each.dataset.part === name) ?? all[0];
      show(tab);
      return tab.dataset.part ?? "";
    },
  };
}
