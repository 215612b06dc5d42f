/** What other scripts may import from editor.js. */
export * from "./player/index.js";
export { Editor } from "./editor.js";
export { Score } from "./score.js";
export { Selection } from "./selection.js";
export { Notation } from "./notation/notation.js";
export { Roll } from "./roll/roll.js";
