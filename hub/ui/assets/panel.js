// Runs once per panel with (element, props, watch) from Gradio's HTML component: shows the value.
const root = element.querySelector(".sh-panel");
const show = () => { root.innerHTML = props.value || ""; };
show();
watch("value", show);
