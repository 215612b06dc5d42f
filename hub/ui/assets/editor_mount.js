// Runs once per mount with (element, trigger, props, server, watch) from Gradio's HTML component:
// loads the editor from the page's own origin and hands every value to it. It can trigger
// 'select' 'edit' 'undo' 'redo' 'go_to' 'audition' 'keep' 'discard' 'restore'.
const host = element.querySelector(".sh-editor");
const config = window.gradio_config || {};
const root = new URL(config.root || "/", window.location.href).pathname.replace(/\/$/, "");
const base = `${window.location.origin}${root}${config.api_prefix || "/gradio_api"}/file=${props.built}/`;
const explain = (text) => {
  host.replaceChildren(Object.assign(document.createElement("p"), { className: "sh-editor-loading", textContent: text }));
};
const start = async () => {
  if (!props.built) throw new Error("it has not been built: run make app");
  const { Editor } = await import(`${base}editor.js?v=${props.version}`);
  host.replaceChildren();
  const name = `${window.location.pathname}#${props.kept_as}`;
  const editor = new Editor(host, { baseUrl: base, name, trigger, server });
  host.editor = editor;
  editor.addEventListener("selection", ({ detail }) => {
    if (props.value) props.value.selection = detail.region;
  });
  watch("value", () => editor.show(props.value));
  editor.show(props.value);
};
start().catch((error) => {
  console.error(error);
  explain(`The editor is not here (${error.message}). The rest of the page works without it.`);
});
