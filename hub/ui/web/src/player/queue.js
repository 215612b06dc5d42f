/** Put into an array that ascends by `second`; after what has the same. Mostly at the end. */
export function insertByTime(queue, event) {
  let place = queue.length;
  while (place > 0 && queue[place - 1].second > event.second) place -= 1;
  queue.splice(place, 0, event);
}
