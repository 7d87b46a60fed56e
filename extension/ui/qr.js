/** A QR code, drawn as one path. */

import encodeQR from "../vendor/qr.js";

const SVG = "http://www.w3.org/2000/svg";
// What readers need around it, in modules.
const BORDER = 4;

/**
 * Draw a text; black on white in every theme, as readers expect it.
 * @param {string} text
 * @returns {SVGSVGElement}
 */
export function drawQr(text) {
  const rows = encodeQR(text, "raw", { ecc: "medium", border: BORDER });
  const size = rows.length;
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${size} ${size}`);
  svg.setAttribute("shape-rendering", "crispEdges");
  svg.append(path("#fff", `M0 0h${size}v${size}h-${size}z`), path("#000", outline(rows)));
  return svg;
}

/** @param {boolean[][]} rows */
function outline(rows) {
  return rows
    .flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : "")))
    .join("");
}

/** @param {string} fill @param {string} d */
function path(fill, d) {
  const made = document.createElementNS(SVG, "path");
  made.setAttribute("fill", fill);
  made.setAttribute("d", d);
  return made;
}
