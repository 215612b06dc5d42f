/** What other scripts may import from editor.js. */
export { Score } from "./score.js";
