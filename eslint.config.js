/** What ESLint holds the JavaScript to: its own recommendations, no unsafe markup, and which folder may use which. */

import js from "@eslint/js";
import noUnsanitized from "eslint-plugin-no-unsanitized";
import globals from "globals";

const PAGE = ["document", "window", "self", "localStorage", "sessionStorage", "indexedDB", "location", "navigator"];
const EXTENSION = ["browser", "chrome"];
const MARKUP = "/^(innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|setHTMLUnsafe|srcdoc)$/";
const LATER = { selector: "ImportExpression", message: "core/ says at its top what it imports." };

// A text of a stranger is shown as text, whoever wrote the line: without these there is no way to get it wrong.
const noMarkup = [
  `MemberExpression[property.name=${MARKUP}]`,
  `MemberExpression[property.value=${MARKUP}]`,
  // Object.assign(element, { innerHTML: … })
  `Property[key.name=${MARKUP}]`,
  'MemberExpression[object.name="document"][property.name=/^write(ln)?$/]',
].map((selector) => ({ selector, message: "Texts are shown as text, never as markup." }));

/** The rules that keep these names out of a folder, also behind `globalThis`; and `more` of what is not to be. */
function without(names, message, ...more) {
  const hidden = `MemberExpression[object.name="globalThis"][property.name=/^(${names.join("|")})$/]`;
  return {
    "no-restricted-globals": ["error", ...names.map((name) => ({ name, message }))],
    "no-restricted-syntax": ["error", ...noMarkup, { selector: hidden, message }, ...more],
  };
}

/** The rule that allows imports only from where `allowed`, a regular expression, says. */
const importsOnly = (allowed, message) => ({
  "no-restricted-imports": ["error", { patterns: [{ regex: `^(?!${allowed})`, message }] }],
});

export default [
  // Files of other projects are not changed.
  { ignores: ["extension/vendor/"] },
  js.configs.recommended,
  noUnsanitized.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      eqeqeq: "error",
      "no-console": "error",
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-new-func": "error",
      "no-script-url": "error",
      "no-var": "error",
      "prefer-const": "error",
      "no-restricted-syntax": ["error", ...noMarkup],
    },
  },
  {
    files: ["extension/**/*.js", "saver/web/*.js"],
    ignores: ["extension/core/**"],
    languageOptions: { globals: { ...globals.browser, browser: "readonly" } },
    // Chromium has it under the name that Firefox gave it.
    rules: without(["chrome"], "The name that both browsers know is `browser`."),
  },
  {
    files: ["extension/core/**/*.js"],
    // What Node has too: the same files run in the tests without a browser.
    languageOptions: { globals: { ...globals["shared-node-browser"] } },
    rules: {
      ...without(
        [...PAGE, ...EXTENSION],
        "core/ knows no page and no browser API: pass in what it needs.",
        LATER,
      ),
      ...importsOnly("\\./|\\.\\./vendor/", "core/ is the lowest layer: it imports only itself and vendor/."),
    },
  },
  {
    files: ["extension/ui/**/*.js", "saver/web/*.js"],
    rules: {
      ...without(EXTENSION, "ui/ also runs in the page at /, where there is no such API: pass in what it needs."),
      ...importsOnly("\\./|\\.\\./(core|ui|vendor)/", "ui/ imports only core/ and vendor/."),
    },
  },
  {
    files: ["tests/js/**/*.{js,mjs}", "eslint.config.js"],
    languageOptions: { globals: { ...globals.node } },
  },
];
