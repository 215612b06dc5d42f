// Runs after panel.js where models may be opened by a button. Fires `choose`, {handle}.
root.addEventListener("click", (event) => {
  const button = event.target.closest("[data-open]");
  if (button && root.contains(button)) trigger("choose", { handle: button.dataset.open });
});
