/** The files with messages by language, and the word list. */

import { LANGUAGES } from "./translator.js";

/**
 * @param {import("../core/api.js").Fetch} fetch
 * @param {string | URL} base where the folders lie
 */
export function makeTranslations(fetch, base) {
  /** @param {string} path */
  async function fetchFile(path) {
    const response = await fetch(new URL(path, base));
    if (!response.ok) throw new Error(`no file ${path}`);
    return response;
  }

  /** @param {string} language @returns {Promise<Record<string, string>>} */
  async function load(language) {
    return (await fetchFile(`ui/${language}.json`)).json();
  }

  return {
    /** What is said in one language. @param {string} language @returns {Promise<Record<string, string>>} */
    load,

    /** What is said, by language. @returns {Promise<Record<string, Record<string, string>>>} */
    async loadAll() {
      return Object.fromEntries(await Promise.all(LANGUAGES.map(async (each) => [each, await load(each)])));
    },

    /** The words that phrases are made of. @returns {Promise<string[]>} */
    async wordList() {
      return (await (await fetchFile("vendor/eff-short-wordlist-1.txt")).text()).split("\n").filter(Boolean);
    },
  };
}
