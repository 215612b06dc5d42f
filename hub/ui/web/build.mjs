/**
 * What the page loads, bundled into ../assets/built: `node build.mjs [folder]`.
 *
 *   editor.js            src/index.js and all that it imports
 *   notation-worker.js   the Web Worker that draws notation
 *   synth-worklet.js     the synthesiser, for the audio thread
 *   verovio/             the engraver, in files of its own: its licence lets anybody replace it
 *   sounds/              the General MIDI bank
 *   LICENSES.txt         whose work all this is
 *   version.txt          a hash of the rest: addresses carry it, so browsers may keep files for ever
 */
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(here, "..", "assets", "built");
const fresh = `${out}.new`;

const ENTRIES = {
  editor: "src/index.js",
  "notation-worker": "src/notation/worker.js",
  "synth-worklet": "src/player/synth_worklet.js",
};

/** Files taken as they are: name here → where they come from. */
const COPIED = {
  "verovio/verovio.mjs": "verovio/dist/verovio.mjs",
  "verovio/verovio-module.mjs": "verovio/dist/verovio-module.mjs",
  "sounds/sonivox.sf3": "@coderline/alphatab/dist/soundfont/sonivox.sf3",
  "sounds/LICENSE": "@coderline/alphatab/dist/soundfont/LICENSE",
};

/** Imports of these stay imports, of the copied files. */
const APART = { "verovio/esm": "./verovio/verovio.mjs", "verovio/wasm": "./verovio/verovio-module.mjs" };

const HASH_DIGITS = 16;

const packageFile = (path) => join(here, "node_modules", path);
const readText = (path) => readFileSync(path, "utf8").replaceAll("\r\n", "\n").trim();

/** The hash of a copied file, for its address. */
function contentHash(name) {
  const source = packageFile(COPIED[name.replace("./", "")]);
  return createHash("sha256").update(readFileSync(source)).digest("hex").slice(0, HASH_DIGITS);
}

const apart = {
  name: "apart",
  setup({ onResolve }) {
    onResolve({ filter: /^verovio\// }, ({ path }) => ({ path: `${APART[path]}?v=${contentHash(APART[path])}`, external: true }));
  },
};

async function bundle() {
  const entryPoints = Object.fromEntries(Object.entries(ENTRIES).filter(([, path]) => existsSync(join(here, path))));
  const { metafile } = await build({
    absWorkingDir: here,
    entryPoints,
    outdir: fresh,
    bundle: true,
    format: "esm",
    target: ["es2022", "chrome109", "firefox115", "safari16.4"],
    minify: true,
    legalComments: "none", // LICENSES.txt has them in full
    charset: "utf8",
    plugins: [apart],
    metafile: true,
    logLevel: "warning",
  });
  return Object.keys(metafile.inputs);
}

/** Names of the packages that bundled files came from. */
function packagesOf(inputs) {
  const names = inputs.map((path) => path.match(/(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1]);
  return [...new Set(names.filter(Boolean))].sort();
}

function describe(name, what) {
  const { version, license, homepage, repository } = JSON.parse(readText(packageFile(`${name}/package.json`)));
  const address = homepage ?? repository?.url ?? "";
  return { title: `${name} ${version} (${license})`, what, address };
}

function licenseOf(name) {
  const file = readdirSync(packageFile(name)).find((path) => /^licen[cs]e/i.test(path));
  if (!file) throw new Error(`${name} has no licence file: add its text here.`);
  return readText(packageFile(`${name}/${file}`));
}

function licenses(inputs) {
  const own = (name) => readText(join(here, "licenses", name));
  const sections = packagesOf(inputs).map((name) => ({ ...describe(name, "bundled"), text: licenseOf(name) }));
  sections.push({
    title: "fflate (MIT)", what: "part of spessasynth_core", address: "https://github.com/101arrowz/fflate", text: own("fflate.txt"),
  });
  sections.push({
    ...describe("verovio", "in verovio/, unchanged; replace the files there to use another version"),
    text: `${own("LGPL-3.0.txt")}\n\n${own("GPL-3.0.txt")}`,
  });
  sections.push({
    title: "sonivox.sf3 (Apache-2.0)", what: "in sounds/, from the npm package @coderline/alphatab; the licence's full text is above",
    address: "https://alphatab.net", text: readText(packageFile("@coderline/alphatab/dist/soundfont/LICENSE")),
  });
  const line = "=".repeat(78);
  const texts = sections.map(({ title, what, address, text }) => [line, title, what, address, line, "", text, ""].join("\n"));
  return `Other people's work in this folder, with the licence of each.\n\n${texts.join("\n")}`;
}

function filesBelow(folder) {
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries
    .flatMap((entry) => (entry.isDirectory() ? filesBelow(join(folder, entry.name)) : [join(folder, entry.name)]))
    .sort();
}

function versionOf(folder) {
  const hash = createHash("sha256");
  for (const path of filesBelow(folder)) hash.update(relative(folder, path).replaceAll("\\", "/")).update(readFileSync(path));
  return hash.digest("hex").slice(0, HASH_DIGITS);
}

rmSync(fresh, { recursive: true, force: true });
mkdirSync(fresh, { recursive: true });
const inputs = await bundle();
for (const [name, source] of Object.entries(COPIED)) cpSync(packageFile(source), join(fresh, name));
writeFileSync(join(fresh, "LICENSES.txt"), licenses(inputs));
writeFileSync(join(fresh, "version.txt"), versionOf(fresh));
rmSync(out, { recursive: true, force: true });
renameSync(fresh, out);
