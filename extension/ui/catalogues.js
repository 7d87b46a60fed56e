/** The lists of words that come as files. */

import { LANGUAGES } from "./i18n.js";

/**
 * @param {import("../core/api.js").Fetch} fetch
 * @param {string | URL} base where the folders lie
 */
export function makeCatalogues(fetch, base) {
  /** @param {string} path */
  async function file(path) {
    const response = await fetch(new URL(path, base));
    if (!response.ok) throw new Error(`no file ${path}`);
    return response;
  }

  /** @param {string} language @returns {Promise<Record<string, string>>} */
  async function read(language) {
    return (await file(`ui/${language}.json`)).json();
  }

  return {
    /** What is said in one language. @param {string} language @returns {Promise<Record<string, string>>} */
    read,

    /** What is said, by language. @returns {Promise<Record<string, Record<string, string>>>} */
    async all() {
      return Object.fromEntries(await Promise.all(LANGUAGES.map(async (each) => [each, await read(each)])));
    },

    /** The words that phrases are made of. @returns {Promise<string[]>} */
    async wordList() {
      return (await (await file("vendor/eff-short-wordlist-1.txt")).text()).split("\n").filter(Boolean);
    },
  };
}
