/** The name of the alarm that empties the clipboard of a borrowed computer. */
export const CLEARING = "clear-clipboard";
