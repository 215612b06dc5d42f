// Runs once a page, before any player is made: whatever begins to sound silences what sounded
// before. Gradio's players keep their media elements outside the document, where no event of
// theirs can be caught, so `play` itself takes note.
(() => {
  const play = HTMLMediaElement.prototype.play;
  let last = null;
  HTMLMediaElement.prototype.play = function () {
    if (last && last !== this) last.pause();
    last = this;
    return play.call(this);
  };
})();
